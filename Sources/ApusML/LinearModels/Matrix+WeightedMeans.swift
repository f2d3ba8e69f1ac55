import ApusLinearAlgebra
import ApusParallel

extension Matrix where Scalar == Double {
  /// The weighted mean of each column.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func weightedMeans(_ weights: [Double]?, _ compute: ComputeContext) throws -> [Double] {
    let weights = weights ?? [Double](repeating: 1, count: rowCount)
    let total = weights.reduce(0, +)
    return try transposedMultiplied(by: weights, compute).map { $0 / total }
  }
}
