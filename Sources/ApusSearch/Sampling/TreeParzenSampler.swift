import ApusML
import ApusParallel

/// Proposes values that are likely better than those seen, by a tree-structured Parzen estimator (Bergstra et
/// al., 2011).
///
/// Points that were scored are divided into the best and all others; a density is laid around each group, and of
/// some points drawn from the first density, the one is proposed at which the first exceeds the second most.
///
/// You ask for a proposal, try it in any way you like, and tell its score; higher is better:
///
/// ```swift
/// var sampler = try TreeParzenSampler(["x": .uniform(-5, 5), "y": .logUniform(1e-3, 1)], seed: Seed(1))
/// for _ in 0..<50 {
///   let proposal = sampler.ask()
///   let (x, y) = (proposal["x"]?.number ?? 0, proposal["y"]?.number ?? 0)
///   sampler.tell(proposal, score: -(x - 1) * (x - 1) - y)
/// }
/// ```
///
/// Proposal n depends on the seed, on n and on the scores told before it was asked for.
public struct TreeParzenSampler: Sendable {
  /// How proposals are made.
  public struct Settings: Sendable, Hashable, Codable {
    /// Proposals that are drawn at random before any score is made use of.
    public var startupCount = 10
    /// Points that are drawn for a proposal, of which one is taken.
    public var drawCount = 24
    /// The fraction of the scored points that counts as best.
    public var bestFraction = 0.1
    /// The most points that count as best.
    public var mostBest = 25

    /// The usual settings: 10 at random, 24 draws, the best tenth but at most 25 points.
    public init() {}

    /// - Throws: ``ApusError`` of kind `invalidParameter`.
    func validate() throws {
      guard startupCount >= 1, drawCount >= 1, bestFraction > 0, bestFraction < 1, mostBest >= 1 else {
        throw ApusError(
          .invalidParameter,
          "a Parzen sampler needs at least one start, draw and best point, and a fraction between 0 and 1")
      }
    }
  }

  /// Values to try.
  public struct Proposal: Sendable, Hashable {
    /// The number of the proposal, from 0.
    public var number: Int
    /// The alternative that the values belong to; 0 where there is only one.
    public var alternative: Int
    /// The values by name.
    public var values: [String: ParameterValue]

    /// A value by name.
    public subscript(name: String) -> ParameterValue? { values[name] }
  }

  private struct Point {
    var alternative: Int
    var coordinates: [Double]
    var score: Double
  }

  private struct Choice: Hashable {
    var alternative: Int
    var values: [String: ParameterValue]
  }

  private let alternatives: [[(name: String, dimension: UnitDimension)]]
  private let seed: Seed
  private let settings: Settings
  private var points: [Point] = []
  /// What was proposed; nothing is proposed again while something else is found in some attempts.
  private var proposed = Set<Choice>()
  private var nextNumber = 0

  private static var attempts: Int { 20 }

  /// Creates a sampler of one set of parameters.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a space without values, or senseless settings.
  public init(
    _ parameters: [String: ParameterSpace], seed: Seed, settings: Settings = Settings()
  ) throws {
    try self.init(alternatives: [parameters], seed: seed, settings: settings)
  }

  /// Creates a sampler of several sets of parameters, one of which is chosen for each proposal: a parameter of
  /// one set exists only when that set is chosen.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a space without values, or senseless settings.
  public init(
    alternatives: [[String: ParameterSpace]], seed: Seed, settings: Settings = Settings()
  ) throws {
    try settings.validate()
    guard !alternatives.isEmpty else {
      throw ApusError(.invalidParameter, "a sampler needs parameters to choose")
    }
    self.alternatives = try alternatives.map { parameters in
      try parameters.sorted { $0.key < $1.key }.map { name, space in
        try space.check(for: name)
        return (name, UnitDimension(space))
      }
    }
    self.seed = seed
    self.settings = settings
  }

  /// A proposal.
  public mutating func ask() -> Proposal {
    var random = seed.derived("proposal", nextNumber).randomSource()
    var choice = propose(&random)
    for attempt in 1..<2 * Self.attempts where proposed.contains(choice) {
      // Where the best values are few and known, any other will do.
      choice = attempt < Self.attempts ? propose(&random) : draw(&random)
    }
    proposed.insert(choice)
    defer { nextNumber += 1 }
    return Proposal(number: nextNumber, alternative: choice.alternative, values: choice.values)
  }

  /// Takes the score of a proposal; NaN for one that failed, which counts as the worst.
  public mutating func tell(_ proposal: Proposal, score: Double) {
    guard alternatives.indices.contains(proposal.alternative) else { return }
    let coordinates = alternatives[proposal.alternative].map { name, dimension in
      dimension.point(of: proposal.values[name] ?? .null)
    }
    points.append(
      Point(
        alternative: proposal.alternative, coordinates: coordinates,
        score: score.isNaN ? -.infinity : score))
  }

  private func propose(_ random: inout RandomSource) -> Choice {
    guard points.count >= settings.startupCount else { return draw(&random) }
    let count = min(settings.mostBest, Int((settings.bestFraction * Double(points.count)).rounded(.up)))
    let order = points.indices.sorted { (-points[$0].score, $0) < (-points[$1].score, $1) }
    let (good, bad) = (order.prefix(count).map { points[$0] }, order.dropFirst(count).map { points[$0] })
    let alternative = chooseAlternative(good, bad, &random)
    let dimensions = alternatives[alternative].map(\.dimension)
    func mixture(_ points: [Point]) -> ParzenMixture {
      ParzenMixture(
        dimensions, around: points.filter { $0.alternative == alternative }.map(\.coordinates))
    }
    let (above, below) = (mixture(good), mixture(bad))
    var best: (point: [Double], gain: Double)?
    for _ in 0..<settings.drawCount {
      let point = above.draw(&random)
      let gain = above.logDensity(point) - below.logDensity(point)
      if best.map({ gain > $0.gain }) ?? true { best = (point, gain) }
    }
    return choice(alternative, best?.point ?? [])
  }

  private func draw(_ random: inout RandomSource) -> Choice {
    let alternative = random.integer(below: alternatives.count)
    var coordinates: [Double] = []
    for (_, dimension) in alternatives[alternative] { coordinates.append(dimension.draw(&random)) }
    return choice(alternative, coordinates)
  }

  /// The alternative as one more dimension, of categories: the share of the best points that have it, weighed
  /// against the share of the others.
  private func chooseAlternative(_ good: [Point], _ bad: [Point], _ random: inout RandomSource) -> Int {
    guard alternatives.count > 1 else { return 0 }
    func shares(_ points: [Point]) -> [Double] {
      var counts = [Double](repeating: 1 / Double(alternatives.count), count: alternatives.count)
      for point in points { counts[point.alternative] += 1 }
      return counts.map { $0 / (Double(points.count) + 1) }
    }
    let weights = zip(shares(good), shares(bad)).map { $0 * $0 / $1 }
    var place = random.uniform() * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      place -= weight
      if place < 0 { return index }
    }
    return alternatives.count - 1
  }

  private func choice(_ alternative: Int, _ coordinates: [Double]) -> Choice {
    var values: [String: ParameterValue] = [:]
    for ((name, dimension), coordinate) in zip(alternatives[alternative], coordinates) {
      values[name] = dimension.value(at: coordinate)
    }
    return Choice(alternative: alternative, values: values)
  }
}
