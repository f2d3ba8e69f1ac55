import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A classifier by majority among the nearest training rows.
///
/// A neighbour's vote counts as much as its row weighs; rows without weight are not neighbours.
public struct KNeighboursClassifier: Estimator {
  /// How many neighbours vote.
  public var neighbourCount = 5
  /// How votes count by distance.
  public var weights = NeighbourWeighting.uniform

  /// Creates a classifier of 5 neighbours with equal votes.
  public init() {}

  /// `k-neighbours-classifier`.
  public static let name = "k-neighbours-classifier"
  /// What it does.
  public static let summary = "Classifier by majority among the nearest training rows."
  /// Classification.
  public static let task = LearningTask.classification

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<KNeighboursClassifier>] = [
    Hyperparameter(
      "neighbourCount", \.neighbourCount, alias: "n_neighbors", in: .atLeast(1), "How many neighbours vote."
    ),
    Hyperparameter("weights", \.weights, "How votes count by distance."),
  ]

  /// Keeps the training rows.
  ///
  /// - Throws: ``ApusError`` of kind `data` for missing values, categories, fewer than two classes, or fewer
  ///   rows than neighbours.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> KNeighboursClassifierModel {
    try validate()
    let input = try ClassificationInput(data, estimator: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let rows = try neighbourRows(data, atLeast: neighbourCount, for: Self.name)
    return KNeighboursClassifierModel(
      classLabels: input.labels, features: data.features.gatheringRows(rows),
      classes: PackedArray(rows.map { input.classes[$0] }),
      rowWeights: input.weights.map { all in PackedArray(rows.map { all[$0] }) },
      neighbourCount: neighbourCount, weighting: weights)
  }
}

/// How much a neighbour counts by its distance.
public enum NeighbourWeighting: String, ParameterChoice {
  /// All neighbours count the same.
  case uniform
  /// In inverse proportion to the distance; neighbours at distance 0, if there are any, count alone.
  case distance
}

/// The rows that can be neighbours: those that weigh something.
func neighbourRows(_ data: Dataset, atLeast count: Int, for estimator: String) throws -> [Int] {
  let rows = (0..<data.rowCount).filter { row in data.weights.map { $0[row] > 0 } ?? true }
  guard rows.count >= count else {
    throw ApusError(
      .data, "\(estimator): there are \(rows.count) training rows for \(count) neighbours",
      hint: "lower neighbourCount")
  }
  return rows
}

/// The training rows that ``KNeighboursClassifier`` keeps.
public struct KNeighboursClassifierModel: ProbabilityModel {
  /// The labels of the classes, `k` of them.
  public let classLabels: [String]
  private let features: Matrix<Double>
  private let classes: PackedArray<Int32>
  private let rowWeights: PackedArray<Double>?
  private let neighbourCount: Int
  private let weighting: NeighbourWeighting

  fileprivate init(
    classLabels: [String], features: Matrix<Double>, classes: PackedArray<Int32>,
    rowWeights: PackedArray<Double>?, neighbourCount: Int, weighting: NeighbourWeighting
  ) {
    self.classLabels = classLabels
    self.features = features
    self.classes = classes
    self.rowWeights = rowWeights
    self.neighbourCount = neighbourCount
    self.weighting = weighting
  }

  /// The number of features, `p`.
  public var featureCount: Int { features.columnCount }

  /// The class of most votes; the lower one of a draw.
  ///
  /// - Complexity: O(n · training rows · p); with few features O((n + training rows) · log(training rows)).
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    let shares = try predictProbabilities(features, compute)
    let k = classLabels.count
    return shares.withUnsafeElements { shares in
      (0..<features.rowCount).map { row in
        var best = 0
        for label in 1..<k where shares[row &* k &+ label] > shares[row &* k &+ best] { best = label }
        return Int32(best)
      }
    }
  }

  /// Each class's share of the votes, `n × k`.
  public func predictProbabilities(
    _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    try checkFeatures(features)
    try features.requireFinite(for: KNeighboursClassifier.name)
    let k = classLabels.count
    let search = NeighbourSearch(self.features, count: neighbourCount)
    return try Matrix(rowCount: features.rowCount, columnCount: k) { target in
      target.update(repeating: 0)
      // Each query writes its own row.
      nonisolated(unsafe) let target = target
      try search.forEach(features, compute) { query, neighbours in
        let votes = weighting.votes(neighbours, rowWeights?.elements)
        let total = votes.reduce(0, +)
        for (neighbour, vote) in zip(neighbours, votes) {
          target[query * k + Int(classes.elements[neighbour.row])] += vote / total
        }
      }
    }
  }
}

extension NeighbourWeighting {
  /// How much each neighbour counts.
  func votes(_ neighbours: [NeighbourSearch.Neighbour], _ rowWeights: [Double]?) -> [Double] {
    let touches = neighbours.contains { $0.squaredDistance == 0 }
    return neighbours.map { neighbour in
      let weight = rowWeights?[neighbour.row] ?? 1
      switch self {
      case .uniform: return weight
      case .distance where touches: return neighbour.squaredDistance == 0 ? weight : 0
      case .distance: return weight / neighbour.squaredDistance.squareRoot()
      }
    }
  }
}
