import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Removes columns that hardly vary.
///
/// The variance has the divisor `Σw` and leaves missing values out; the column of a category counts by its
/// numbers. With the threshold 0, exactly the constant columns go.
public struct VarianceThreshold: TransformerEstimator {
  /// Columns whose variance is not above this are removed.
  public var threshold = 0.0

  /// Creates a selection that removes constant columns.
  public init() {}

  /// `variance-threshold`.
  public static let name = "variance-threshold"
  /// What it does.
  public static let summary = "Removes columns whose variance is not above a threshold."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<VarianceThreshold>] = [
    Hyperparameter(
      "threshold", \.threshold, in: .atLeast(0),
      "Columns whose variance is not above this are removed.")
  ]

  /// Measures the variance of every column.
  ///
  /// - Throws: ``ApusError`` of kind `data` for no rows, or when no column is left.
  /// - Complexity: O(n · p).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ColumnSelectionModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    let variances = try ColumnMoments(data.features, weights: data.weights, context.compute).variances
    // Rounding can leave a constant column a tiny variance, so equality is what decides at 0.
    let kept = variances.indices.filter { column in
      threshold > 0 ? variances[column] > threshold : !data.isConstant(column)
    }
    guard !kept.isEmpty else {
      throw ApusError(
        .data, "\(Self.name): no column has a variance above \(threshold)", hint: "choose a lower threshold")
    }
    return ColumnSelectionModel(
      featureCount: data.featureCount, keptColumns: kept, scores: PackedArray(variances), pValues: nil)
  }
}

extension Dataset {
  /// Whether all values of a column that are there, in rows that weigh something, are equal.
  fileprivate func isConstant(_ column: Int) -> Bool {
    var first: Double?
    for row in 0..<rowCount where weights.map({ $0[row] > 0 }) ?? true {
      let value = features[row, column]
      if value.isNaN { continue }
      if let first, first != value { return false }
      first = value
    }
    return true
  }
}
