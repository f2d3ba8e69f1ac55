import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A regressor that predicts one number for every row: what every real one must beat.
public struct DummyRegressor: Estimator {
  /// Which number is predicted.
  public var strategy = DummyRegressorStrategy.mean
  /// The share of the training weights at or below the prediction, for the strategy `quantile`.
  public var quantile = 0.5
  /// The prediction of the strategy `constant`.
  public var constant = 0.0

  /// Creates a regressor that predicts the mean.
  public init() {}

  /// `dummy-regressor`.
  public static let name = "dummy-regressor"
  /// What it does.
  public static let summary = "Predicts one number for every row, as a baseline."
  /// Regression.
  public static let task = LearningTask.regression

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<DummyRegressor>] = [
    Hyperparameter("strategy", \.strategy, "Which number is predicted."),
    Hyperparameter("quantile", \.quantile, in: .between(0, 1), "For the strategy quantile."),
    Hyperparameter("constant", \.constant, "The prediction of the strategy constant."),
  ]

  /// Measures the target.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a target without numbers.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> DummyRegressorModel {
    try validate()
    let target = try data.regressionTarget(for: Self.name)
    let prediction =
      switch strategy {
      case .mean: weightedMean(target, data.weights)
      case .median: weightedQuantile(target, data.weights, 0.5)
      case .quantile: weightedQuantile(target, data.weights, quantile)
      case .constant: constant
      }
    return DummyRegressorModel(featureCount: data.featureCount, prediction: prediction)
  }

  private func weightedMean(_ values: [Double], _ weights: [Double]?) -> Double {
    guard let weights else { return values.reduce(0, +) / Double(values.count) }
    return zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
  }
}

/// Which number a ``DummyRegressor`` predicts.
public enum DummyRegressorStrategy: String, ParameterChoice {
  /// The weighted mean.
  case mean
  /// The middle value; with weights, the lowest one with half the weight at or below it.
  case median
  /// The value with a given share of the data below it.
  case quantile
  /// A given number.
  case constant
}

/// The number that ``DummyRegressor`` predicts.
public struct DummyRegressorModel: RegressionModel {
  /// The number of features, which are not looked at.
  public let featureCount: Int
  /// The prediction for every row.
  public let prediction: Double

  /// The same number for each row.
  public func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try checkFeatures(features)
    return [Double](repeating: prediction, count: features.rowCount)
  }
}

/// A quantile: between the two nearest values in proportion where all rows weigh the same, else the lowest
/// value with the wanted share of the weight at or below it.
func weightedQuantile(_ values: [Double], _ weights: [Double]?, _ share: Double) -> Double {
  guard let weights else {
    let sorted = values.sorted()
    let position = share * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
  }
  let order = values.indices.filter { weights[$0] > 0 }.sorted { (values[$0], $0) < (values[$1], $1) }
  let wanted = share * weights.reduce(0, +)
  var sum = 0.0
  for index in order {
    sum += weights[index]
    if sum >= wanted { return values[index] }
  }
  return values[order[order.count - 1]]
}
