import ApusData
import ApusLinearAlgebra
import ApusParallel

/// What the scalers learn: a number to subtract from each column and a number to divide it by.
public struct ColumnScalerModel: TransformationModel {
  /// What is subtracted from each column; nil where nothing is.
  public let offset: [Double]?
  /// What each column is divided by after that, 1 for constant columns; nil where nothing is.
  public let scale: [Double]?
  /// The number of features, `p`.
  public let featureCount: Int
  /// The interval that results are cut to, if any.
  public let bounds: ClosedRange<Double>?
  /// What is added at the end, to every column.
  private let base: Double

  init(
    offset: [Double]?, scale: [Double]?, featureCount: Int? = nil, base: Double = 0,
    bounds: ClosedRange<Double>? = nil
  ) {
    self.offset = offset
    self.scale = scale
    self.featureCount = featureCount ?? offset?.count ?? scale?.count ?? 0
    self.base = base
    self.bounds = bounds
  }

  /// The same columns under the same names.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] { columns.map { Feature(name: $0.name) } }

  /// The scaled features; missing values stay missing.
  ///
  /// - Complexity: O(n · p).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    let p = featureCount
    let offsets = offset ?? [Double](repeating: 0, count: p)
    let scales = scale ?? [Double](repeating: 1, count: p)
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1 + (1 << 15) / max(1, p))
    return try Matrix(rowCount: features.rowCount, columnCount: p) { target in
      // Blocks write disjoint rows.
      nonisolated(unsafe) let target = target
      try compute.forEach(blocks.count) { block in
        features.withUnsafeElements { source in
          offsets.withUnsafeBufferPointer { offsets in
            scales.withUnsafeBufferPointer { scales in
              for row in blocks[block] {
                let start = row &* p
                for column in 0..<p {
                  target[start &+ column] =
                    (source[start &+ column] - offsets[column]) / scales[column] + base
                }
              }
            }
          }
          guard let bounds else { return }
          for index in blocks[block].lowerBound * p..<blocks[block].upperBound * p {
            // A comparison with NaN is false, so what is missing stays missing.
            if target[index] < bounds.lowerBound { target[index] = bounds.lowerBound }
            if target[index] > bounds.upperBound { target[index] = bounds.upperBound }
          }
        }
      }
    }
  }
}
