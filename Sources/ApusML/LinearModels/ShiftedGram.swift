import ApusLinearAlgebra
import CKernels

/// Writes the lower triangle of `ZᵀZ` for the rows `zᵢ = fᵢ·(xᵢ − shift, yᵢ − yShift, 1)`, formed in pieces
/// that stay in the cache.
///
/// - Parameters:
///   - rows: the rows to sum over.
///   - p: the number of features.
///   - width: how many of Z's columns to use: those of y and of ones may be left out from the right.
///   - x: the features, row by row.
///   - shift: what to subtract from each feature.
///   - y: a target, or nil for no such column.
///   - yShift: what to subtract from the target.
///   - scale: the factor f of each row, or nil for ones.
///   - sums: where the result goes, `width × width`.
///   - stride: the distance between the result's rows.
func addShiftedGram(
  _ rows: Range<Int>, _ p: Int, width: Int, x: UnsafePointer<Double>, shift: UnsafePointer<Double>,
  y: UnsafePointer<Double>?, yShift: Double, scale: UnsafePointer<Double>?,
  into sums: UnsafeMutablePointer<Double>, stride: Int
) {
  let fullWidth = p + (y == nil ? 1 : 2)
  guard width > narrowGramWidth else {
    ckernels_narrow_gram(
      rows.count, p, width, x + rows.lowerBound * p, shift, y.map { $0 + rows.lowerBound }, yShift,
      scale.map { $0 + rows.lowerBound }, sums, stride)
    return
  }
  let height = max(1, min(rows.count, max(16, 32_768 / fullWidth)))
  let scratch = UnsafeMutablePointer<Double>.allocate(capacity: height * fullWidth)
  defer { scratch.deallocate() }
  var row = rows.lowerBound
  var beta = 0.0
  repeat {
    let count = min(height, rows.upperBound - row)
    ckernels_shifted_rows(
      count, p, x + row * p, shift, y.map { $0 + row }, yShift, scale.map { $0 + row }, scratch)
    BLAS.gram(n: width, k: count, a: scratch, aStride: fullWidth, beta: beta, c: sums, cStride: stride)
    beta = 1
    row += count
  } while row < rows.upperBound
}

/// Up to this width our own kernel forms the sums: OpenBLAS takes 2.8 times as long for 11 columns, twice as long
/// for 31, and as long for 66 (Zen 3, one core).
private let narrowGramWidth = 60
