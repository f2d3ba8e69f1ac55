import ApusData
import ApusLinearAlgebra
import ApusParallel

/// The columns that a selection keeps, and the scores that decided.
public struct ColumnSelectionModel: TransformationModel {
  /// The number of features, `p`.
  public let featureCount: Int
  /// The columns that are kept, ascending.
  public let keptColumns: [Int]
  /// The score of every column: its variance, or its test statistic; NaN for constant columns.
  public let scores: PackedArray<Double>
  /// For a test, how likely a column without any bearing on the target has such a score or a higher one.
  public let pValues: PackedArray<Double>?

  /// The columns that are kept.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] { keptColumns.map { columns[$0] } }

  /// The features that are kept.
  ///
  /// - Complexity: O(n · columns kept).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    return features.gatheringColumns(keptColumns)
  }
}
