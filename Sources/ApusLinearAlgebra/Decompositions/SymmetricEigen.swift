import ApusParallel

/// The eigendecomposition `A = V·diag(λ)·Vᵀ` of a symmetric matrix.
public struct SymmetricEigen<Scalar: MatrixScalar>: Sendable {
  /// The eigenvalues λ in ascending order.
  public let values: [Scalar]
  /// The transposed eigenvectors Vᵀ: the orthonormal eigenvector of `values[j]` is row j.
  public let vectorRows: Matrix<Scalar>

  /// Decomposes a matrix by divide and conquer; only its lower triangle is read.
  ///
  /// - Throws: ``ApusError`` of kind `shape` for a matrix that is not square, of kind `numerical` for elements
  ///   that are not finite, or when the iteration fails.
  /// - Complexity: O(n³).
  public init(_ matrix: Matrix<Scalar>) throws {
    try matrix.requireSquare(for: "an eigendecomposition")
    try matrix.requireFinite(for: "an eigendecomposition")
    let n = matrix.rowCount
    var vectors = matrix
    var values = [Scalar](repeating: 0, count: n)
    let info = vectors.withUnsafeMutableElements { a in
      values.withUnsafeMutableBufferPointer { w in
        n == 0 ? 0 : Scalar.Routines.syevd(n, a.baseAddress!, w.baseAddress!)
      }
    }
    guard info == 0 else {
      throw ApusError(.numerical, "the eigenvalues of a \(matrix.shape) matrix did not converge")
    }
    self.values = values
    vectorRows = vectors
  }
}
