import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A regressor by the mean of the nearest training rows.
///
/// A neighbour counts as much as its row weighs; rows without weight are not neighbours.
public struct KNeighboursRegressor: Estimator {
  /// How many neighbours are averaged.
  public var neighbourCount = 5
  /// How neighbours count by distance.
  public var weights = NeighbourWeighting.uniform

  /// Creates a regressor of 5 neighbours that count the same.
  public init() {}

  /// `k-neighbours-regressor`.
  public static let name = "k-neighbours-regressor"
  /// What it does.
  public static let summary = "Regressor by the mean of the nearest training rows."
  /// Regression.
  public static let task = LearningTask.regression

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<KNeighboursRegressor>] = [
    Hyperparameter(
      "neighbourCount", \.neighbourCount, alias: "n_neighbors", in: .atLeast(1),
      "How many neighbours are averaged."),
    Hyperparameter("weights", \.weights, "How neighbours count by distance."),
  ]

  /// Keeps the training rows.
  ///
  /// - Throws: ``ApusError`` of kind `data` for missing values, categories, a target without numbers, or fewer
  ///   rows than neighbours.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> KNeighboursRegressorModel {
    try validate()
    let target = try data.regressionTarget(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let rows = try neighbourRows(data, atLeast: neighbourCount, for: Self.name)
    return KNeighboursRegressorModel(
      features: data.features.gatheringRows(rows), target: PackedArray(rows.map { target[$0] }),
      rowWeights: data.weights.map { all in PackedArray(rows.map { all[$0] }) },
      neighbourCount: neighbourCount, weighting: weights)
  }
}

/// The training rows that ``KNeighboursRegressor`` keeps.
public struct KNeighboursRegressorModel: RegressionModel {
  private let features: Matrix<Double>
  private let target: PackedArray<Double>
  private let rowWeights: PackedArray<Double>?
  private let neighbourCount: Int
  private let weighting: NeighbourWeighting

  fileprivate init(
    features: Matrix<Double>, target: PackedArray<Double>, rowWeights: PackedArray<Double>?,
    neighbourCount: Int, weighting: NeighbourWeighting
  ) {
    self.features = features
    self.target = target
    self.rowWeights = rowWeights
    self.neighbourCount = neighbourCount
    self.weighting = weighting
  }

  /// The number of features, `p`.
  public var featureCount: Int { features.columnCount }

  /// The weighted mean of the neighbours' targets.
  ///
  /// - Complexity: O(n · training rows · p); with few features O((n + training rows) · log(training rows)).
  public func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try checkFeatures(features)
    try features.requireFinite(for: KNeighboursRegressor.name)
    let search = NeighbourSearch(self.features, count: neighbourCount)
    let means = try Matrix<Double>(rowCount: features.rowCount, columnCount: 1) { means in
      // Each query writes its own element.
      nonisolated(unsafe) let means = means
      try search.forEach(features, compute) { query, neighbours in
        let votes = weighting.votes(neighbours, rowWeights?.elements)
        let sum = zip(neighbours, votes).reduce(0) { $0 + target.elements[$1.0.row] * $1.1 }
        means[query] = sum / votes.reduce(0, +)
      }
    }
    return means.elements
  }
}
