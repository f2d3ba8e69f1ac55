import ApusLinearAlgebra
import ApusParallel

/// The weighted mean and variance of every column, missing values left out.
///
/// Each block of rows is passed twice while it is in the cache, and blocks are combined pairwise as Chan,
/// Golub and LeVeque (1983) do: one pass over the memory, no cancellation.
struct ColumnMoments: Sendable {
  /// The weighted means; NaN for a column without any value.
  private(set) var means: [Double]
  /// The weighted variances, with the divisor Σw.
  private(set) var variances: [Double]
  /// Σw over the rows with a value, by column.
  private(set) var weightSums: [Double]
  /// The number of rows with a value, by column.
  private(set) var counts: [Double]
  /// For columns of extreme size: what their values were multiplied by, and the mean and the variance of the products.
  private var scaled: [Int: (unit: Double, mean: Double, variance: Double)] = [:]

  init(_ features: Matrix<Double>, weights: [Double]?, _ compute: ComputeContext) throws {
    let p = features.columnCount
    let blocks = RowBlocks(
      rowCount: features.rowCount, minimumSize: 1 + (1 << 14) / max(1, p), maximumCount: .max)
    let parts = try compute.map(blocks.count) { Self.moments(features, weights, blocks[$0]) }
    means = [Double](repeating: 0, count: p)
    variances = means
    weightSums = means
    counts = means
    for part in parts { add(part) }
    for column in 0..<p {
      variances[column] /= weightSums[column]
      if weightSums[column] == 0 { means[column] = .nan }
      if weightSums[column] > 0, isExtreme(column) { rescale(column, features, weights) }
    }
  }

  /// The square roots of the variances; 1 for columns whose variance is no more than rounding leaves of a
  /// constant, by scikit-learn's bound.
  var standardDeviations: [Double] {
    means.indices.map { column in
      let (unit, mean, variance) = scaled[column] ?? (1, means[column], variances[column])
      let rounding = counts[column] * mean * Double.ulpOfOne
      let isConstant = variance <= counts[column] * Double.ulpOfOne * variance + rounding * rounding
      return isConstant || !(variance > 0) ? 1 : variance.squareRoot() / unit
    }
  }

  /// Whether the squares of a column may have been too large or too small for a Double.
  private func isExtreme(_ column: Int) -> Bool {
    !means[column].isFinite || !variances[column].isFinite || variances[column] < 1e-280
  }

  /// Computes the moments of a column once more, of values brought near 1 by a power of two.
  private mutating func rescale(_ column: Int, _ features: Matrix<Double>, _ weights: [Double]?) {
    let values = features.column(column)
    let largest = values.reduce(0) { $1.isNaN ? $0 : max($0, abs($1)) }
    guard largest > 0, largest.isFinite else { return }
    let exponent = max(-1022, min(1022, -largest.exponent))
    let unit = Double(sign: .plus, exponent: exponent, significand: 1)
    let own = Self.moments(
      Matrix(rowCount: values.count, columnCount: 1) { target in
        for (row, value) in values.enumerated() { target[row] = value * unit }
      }, weights, 0..<values.count)
    let variance = own.variances[0] / own.weightSums[0]
    scaled[column] = (unit, own.means[0], variance)
    means[column] = own.means[0] / unit
    variances[column] = variance / unit / unit
  }

  private init(columnCount: Int) {
    means = [Double](repeating: 0, count: columnCount)
    variances = means
    weightSums = means
    counts = means
  }

  /// The means and the sums of squared deviations of some rows.
  private static func moments(_ features: Matrix<Double>, _ weights: [Double]?, _ rows: Range<Int>) -> Self {
    let p = features.columnCount
    var result = ColumnMoments(columnCount: p)
    features.withUnsafeElements { x in
      result.means.withUnsafeMutableBufferPointer { means in
        result.weightSums.withUnsafeMutableBufferPointer { weightSums in
          result.counts.withUnsafeMutableBufferPointer { counts in
            for row in rows {
              let weight = weights?[row] ?? 1
              for column in 0..<p {
                let value = x[row &* p &+ column]
                let isPresent = value == value
                means[column] += isPresent ? value * weight : 0
                weightSums[column] += isPresent ? weight : 0
                counts[column] += isPresent ? 1 : 0
              }
            }
            for column in 0..<p where weightSums[column] > 0 { means[column] /= weightSums[column] }
          }
          result.variances.withUnsafeMutableBufferPointer { squares in
            for row in rows {
              let weight = weights?[row] ?? 1
              for column in 0..<p {
                let value = x[row &* p &+ column]
                let deviation = value - means[column]
                squares[column] += value == value ? deviation * deviation * weight : 0
              }
            }
          }
        }
      }
    }
    return result
  }

  /// Adds other rows' moments, while ``variances`` still hold sums of squared deviations.
  private mutating func add(_ other: ColumnMoments) {
    for column in means.indices where other.weightSums[column] > 0 {
      let (left, right) = (weightSums[column], other.weightSums[column])
      let difference = other.means[column] - means[column]
      means[column] += difference * (right / (left + right))
      variances[column] += other.variances[column] + difference * difference * (left * right / (left + right))
      weightSums[column] = left + right
      counts[column] += other.counts[column]
    }
  }
}
