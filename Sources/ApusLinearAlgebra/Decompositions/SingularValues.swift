import ApusParallel

/// The thin singular value decomposition `A = U·diag(s)·Vᵀ` of an `m × n` matrix, with `r = min(m, n)`.
public struct SingularValues<Scalar: MatrixScalar>: Sendable {
  /// The left singular vectors U, `m × r`, in columns.
  public let left: Matrix<Scalar>
  /// The singular values s in descending order, `r` of them.
  public let values: [Scalar]
  /// The right singular vectors Vᵀ, `r × n`, in rows.
  public let right: Matrix<Scalar>

  /// Decomposes a matrix by divide and conquer.
  ///
  /// - Throws: ``ApusError`` of kind `numerical` for elements that are not finite, or when the iteration fails.
  /// - Complexity: O(m · n · r).
  public init(_ matrix: Matrix<Scalar>) throws {
    try matrix.requireFinite(for: "a singular value decomposition")
    let (m, n) = (matrix.rowCount, matrix.columnCount)
    let rank = min(m, n)
    var values = [Scalar](repeating: 0, count: rank)
    var left = Matrix<Scalar>(rowCount: m, columnCount: rank)
    var right = Matrix<Scalar>(rowCount: rank, columnCount: n)
    var work = matrix
    if rank > 0 {
      let info = work.withUnsafeMutableElements { a in
        left.withUnsafeMutableElements { u in
          right.withUnsafeMutableElements { vt in
            values.withUnsafeMutableBufferPointer { s in
              Scalar.Routines.gesdd(
                m, n, a.baseAddress!, s.baseAddress!, u.baseAddress!, vt.baseAddress!)
            }
          }
        }
      }
      guard info == 0 else {
        throw ApusError(.numerical, "the singular values of a \(matrix.shape) matrix did not converge")
      }
    }
    self.left = left
    self.values = values
    self.right = right
  }

  /// The number of singular values above `tolerance` times the largest.
  ///
  /// - Parameter tolerance: the larger side of the matrix times the type's precision unless given.
  public func rank(tolerance: Scalar? = nil) -> Int {
    let limit = tolerance ?? Scalar(max(left.rowCount, right.columnCount)) * .ulpOfOne
    return values.prefix { $0 > limit * values[0] }.count
  }
}
