import Apus
import ArgumentParser

/// How a search chooses what it tries, and when it ends.
struct SearchMethodOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Try this many candidates, drawn at random.", valueName: "number"))
  var random: Int?

  @Option(
    help: ArgumentHelp(
      "How to choose: grid, random, halving, hyperband, asha or tpe.", valueName: "name"),
    completion: .list(MethodName.allCases.map(\.rawValue)))
  var method: String?

  @Option(
    help: ArgumentHelp(
      "What halving gives more of: rows (the default), or a parameter such as treeCount.", valueName: "name"))
  var resource: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The least of the resource that halving begins with.", valueName: "number"))
  var least: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The most of the resource; all rows unless given.", valueName: "number"))
  var most: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Halving keeps one candidate of so many; 3 unless given.", valueName: "number"))
  var factor: Int?

  @Flag(help: "Give up candidates that are clearly worse after some folds.")
  var racing = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Stop after so long: 90, 15m, 2h.", valueName: "time"))
  var timeBudget: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Make at most this many fits.", valueName: "number"))
  var mostFits: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Stop at this mean score.", valueName: "score"))
  var targetScore: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Stop after so many candidates that are no better.", valueName: "number"))
  var patience: Int?

  @Flag(help: "Choose the simplest candidate within a standard error of the best.")
  var oneStandardError = false

  /// The methods by name.
  enum MethodName: String, CaseIterable {
    case grid, random, halving, hyperband, asha, tpe
  }

  /// The search over a space.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func search(_ space: SearchSpace, _ options: SearchOptions) throws -> any HyperparameterSearch {
    var options = options
    if oneStandardError { options.choice = .oneStandardError() }
    let rules = try stopRules
    let name = try methodName
    try refuseWhatIsIgnored(by: name)
    if !racing, rules == StopRules() {
      if name == .grid { return GridSearch(try finite(space), options) }
      if name == .random { return RandomSearch(space, draws: try draws(), options) }
    }
    var search = AdaptiveSearch(space, try method(name, space), options)
    search.stopRules = rules
    search.racing = racing ? Racing() : nil
    return search
  }

  /// An option that does nothing is a mistake.
  private func refuseWhatIsIgnored(by name: MethodName) throws {
    if name == .grid, random != nil {
      throw ApusError(
        .invalidParameter, "--method grid tries every combination, and draws none at random",
        hint: "leave out --random, or say --method random")
    }
    guard ![.halving, .hyperband, .asha].contains(name) else { return }
    let given = [
      ("--resource", resource != nil), ("--least", least != nil), ("--most", most != nil),
      ("--factor", factor != nil),
    ]
    guard let option = given.first(where: \.1)?.0 else { return }
    throw ApusError(
      .invalidParameter,
      "\(option) is for halving, and this search tries \(name == .grid ? "a grid" : "\(name)")",
      hint: "say --method halving, hyperband or asha")
  }

  private var methodName: MethodName {
    get throws {
      guard let method else { return random == nil ? .grid : .random }
      if let name = MethodName(rawValue: method.lowercased()) { return name }
      let names = MethodName.allCases.map(\.rawValue)
      let suggestion = names.nearest(to: method).map { "did you mean '\($0)'? " } ?? ""
      throw ApusError(
        .invalidParameter, "there is no search method '\(method)'",
        hint: "\(suggestion)known: \(names.joined(separator: ", "))")
    }
  }

  private func method(_ name: MethodName, _ space: SearchSpace) throws -> SearchMethod {
    switch name {
    case .grid:
      _ = try finite(space)
      return .grid
    case .random: return .random(draws: try draws())
    case .halving: return .halving(try halving(space))
    case .asha: return .asynchronousHalving(try halving(space))
    case .hyperband:
      guard random == nil else {
        throw ApusError(.invalidParameter, "hyperband itself says how many candidates it draws, not --random")
      }
      return .hyperband(settings)
    case .tpe: return .parzen(ParzenSettings(candidates: try draws()))
    }
  }

  private func halving(_ space: SearchSpace) throws -> HalvingSettings {
    if random == nil { _ = try finite(space) }
    return settings
  }

  private var settings: HalvingSettings {
    HalvingSettings(
      draws: random, factor: factor ?? 3, resource: resource.map(Self.resource) ?? .rows,
      smallest: least, largest: most)
  }

  private static func resource(_ name: String) -> HalvingResource {
    name == "rows" ? .rows : .hyperparameter(name)
  }

  private func draws() throws -> Int {
    guard let random else {
      throw ApusError(.invalidParameter, "how many candidates should be drawn?", hint: "say --random N")
    }
    return random
  }

  private func finite(_ space: SearchSpace) throws -> SearchSpace {
    guard space.count != nil else {
      throw ApusError(
        .invalidParameter, "a distribution has no end of values to try",
        hint: "say how many to draw with --random N, or list values")
    }
    return space
  }

  private var stopRules: StopRules {
    get throws {
      for (option, number) in [("--most-fits", mostFits), ("--patience", patience)] {
        guard let number, number < 1 else { continue }
        throw ApusError(
          .invalidParameter, "\(option) must be at least 1, but is \(number)", hint: "or leave it out")
      }
      if let targetScore, targetScore.isNaN {
        throw ApusError(
          .invalidParameter, "--target-score must be a number, but is \(targetScore)", hint: "or leave it out"
        )
      }
      return StopRules(
        timeBudget: try timeBudget.map(Self.duration), mostFits: mostFits, targetScore: targetScore,
        patience: patience)
    }
  }

  private static func duration(_ text: String) throws -> Duration {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = text.last.flatMap { units[$0] }
    guard let number = Double(unit == nil ? text[...] : text.dropLast()), number > 0, number < 1e9 else {
      throw ApusError(
        .invalidParameter, "'\(text)' is not a time",
        hint: "write seconds, or a number with s, m, h or d: 90, 15m, 2h")
    }
    return .milliseconds(Int64(number * (unit ?? 1) * 1000))
  }
}
