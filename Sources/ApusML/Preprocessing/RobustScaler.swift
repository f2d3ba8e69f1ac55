import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Subtracts every column's median and divides by the distance between two of its quantiles, so that a few
/// wild values do not set the scale.
///
/// Missing values are left out and stay missing; a column without spread is only centred. Rows count by their
/// weights: with unequal ones a quantile is the lowest value with the wanted share of the weight at or below it.
public struct RobustScaler: TransformerEstimator {
  /// Whether the median is subtracted.
  public var withCentering = true
  /// Whether the centred values are divided by the distance between the quantiles.
  public var withScaling = true
  /// The lower quantile, in percent.
  public var lowerQuantile = 25.0
  /// The upper quantile, in percent.
  public var upperQuantile = 75.0

  /// Creates a scaler by the median and the quartiles.
  public init() {}

  /// `robust-scaler`.
  public static let name = "robust-scaler"
  /// What it does.
  public static let summary = "Centres columns at their median and scales them by a quantile range."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<RobustScaler>] = [
    Hyperparameter("withCentering", \.withCentering, "Whether the median is subtracted."),
    Hyperparameter("withScaling", \.withScaling, "Whether values are divided by the quantile range."),
    Hyperparameter(
      "lowerQuantile", \.lowerQuantile, in: .between(0, 100), "The lower quantile, in percent."),
    Hyperparameter(
      "upperQuantile", \.upperQuantile, in: .between(0, 100), "The upper quantile, in percent."),
  ]

  /// Checks that the quantiles are in order.
  public func validate() throws {
    try checkRanges()
    guard lowerQuantile < upperQuantile else {
      throw ApusError(
        .invalidParameter,
        "\(Self.name): lowerQuantile \(lowerQuantile) must be below upperQuantile \(upperQuantile)")
    }
  }

  /// Finds the quantiles of every column.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns, infinities, no rows or no weight.
  /// - Complexity: O(p · n log n).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ColumnScalerModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireNumbersOrMissing(for: Self.name)
    let weightsDiffer = data.weights.map { Set($0).count > 1 } ?? false
    let statistics = try context.compute.map(data.featureCount) { column -> (median: Double, range: Double) in
      let all = data.features.column(column)
      let present = all.indices.filter { !all[$0].isNaN && data.weights?[$0] != 0 }
      guard !present.isEmpty else { return (.nan, 1) }
      let values = present.map { all[$0] }
      let weights = weightsDiffer ? present.map { data.weights![$0] } : nil
      let range =
        weightedQuantile(values, weights, upperQuantile / 100)
        - weightedQuantile(values, weights, lowerQuantile / 100)
      return (weightedQuantile(values, weights, 0.5), range > 10 * Double.ulpOfOne ? range : 1)
    }
    return ColumnScalerModel(
      offset: withCentering ? statistics.map(\.median) : nil,
      scale: withScaling ? statistics.map(\.range) : nil, featureCount: data.featureCount)
  }
}
