import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Brings every column to mean 0 and standard deviation 1.
///
/// Statistics are those of the rows' weights, with the divisor `Σw` (no `n − 1`). Missing values are left out
/// of them and stay missing. A column that is constant, up to rounding, is only centred.
///
/// ```swift
/// let scaler = try StandardScaler().fit(training)
/// let scaled = try scaler.transform(test.features)
/// ```
public struct StandardScaler: TransformerEstimator {
  /// Whether the mean is subtracted.
  public var withMean = true
  /// Whether the centred values are divided by the standard deviation.
  public var withStd = true

  /// Creates a scaler that centres and scales.
  public init() {}

  /// `standard-scaler`.
  public static let name = "standard-scaler"
  /// What it does.
  public static let summary = "Brings every column to mean 0 and standard deviation 1."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<StandardScaler>] = [
    Hyperparameter("withMean", \.withMean, "Whether the mean is subtracted."),
    Hyperparameter("withStd", \.withStd, "Whether values are divided by the standard deviation."),
  ]

  /// Measures the mean and the standard deviation of every column.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns, infinities, no rows or no weight.
  /// - Complexity: O(n · p), one pass over the memory.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ColumnScalerModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireNumbersOrMissing(for: Self.name)
    let moments = try ColumnMoments(data.features, weights: data.weights, context.compute)
    return ColumnScalerModel(
      offset: withMean ? moments.means : nil,
      scale: withStd ? moments.standardDeviations : nil, featureCount: data.featureCount)
  }
}
