import ApusParallel

/// The solution of a linear least-squares problem: the X of smallest norm among those that minimise
/// `‖A·X − B‖`, so that wide and rank-deficient systems have one answer too.
///
/// ```swift
/// let line = try LeastSquares(Matrix([[1.0, 0], [1, 1], [1, 2]]), Matrix([[1.0], [3], [5]]))
/// line.solution  // [[1], [2]]
/// ```
public struct LeastSquares<Scalar: MatrixScalar>: Sendable {
  /// The solution X, `n × k`.
  public let solution: Matrix<Scalar>
  /// The number of singular values of A that counted.
  public let rank: Int
  /// The singular values of A in descending order.
  public let singularValues: [Scalar]

  /// Solves by the singular value decomposition of A (LAPACK's `gelsd`).
  ///
  /// - Parameters:
  ///   - matrix: A, `m × n`.
  ///   - right: B, `m × k`.
  ///   - tolerance: singular values up to this fraction of the largest count as zero; the larger side of A
  ///     times the type's precision unless given.
  /// - Throws: ``ApusError`` of kind `shape` that names both shapes, of kind `numerical` for elements that are
  ///   not finite, or when the iteration fails.
  /// - Complexity: O(m · n · min(m, n)).
  public init(_ matrix: Matrix<Scalar>, _ right: Matrix<Scalar>, tolerance: Scalar? = nil) throws {
    guard matrix.rowCount == right.rowCount else {
      throw ApusError(
        .shape, "a least-squares problem of \(matrix.shape) was given right-hand sides of \(right.shape)")
    }
    try matrix.requireFinite(for: "a least-squares problem")
    try right.requireFinite(for: "a least-squares problem")
    let (m, n, k) = (matrix.rowCount, matrix.columnCount, right.columnCount)
    guard m > 0, n > 0, k > 0 else {
      solution = Matrix(rowCount: n, columnCount: k)
      rank = 0
      singularValues = [Scalar](repeating: 0, count: min(m, n))
      return
    }
    let limit = tolerance ?? Scalar(max(m, n)) * .ulpOfOne
    let height = max(m, n)
    // LAPACK reads columns: these are Aᵀ and Bᵀ row by row, B's columns long enough for the solution.
    var columns = matrix.transposed()
    var sides = Matrix<Scalar>(rowCount: k, columnCount: height)
    sides.withUnsafeMutableElements { target in
      right.withUnsafeElements { source in
        for row in 0..<m { for side in 0..<k { target[side * height + row] = source[row * k + side] } }
      }
    }
    var values = [Scalar](repeating: 0, count: min(m, n))
    var rank = 0
    let info = columns.withUnsafeMutableElements { a in
      sides.withUnsafeMutableElements { b in
        values.withUnsafeMutableBufferPointer { s in
          Scalar.Routines.gelsd(
            m, n, k, a.baseAddress!, b.baseAddress!, height, s.baseAddress!, limit, &rank)
        }
      }
    }
    guard info == 0 else {
      throw ApusError(.numerical, "the least-squares problem of \(matrix.shape) did not converge")
    }
    self.rank = rank
    singularValues = values
    solution = sides.withUnsafeElements { source in
      Matrix(rowCount: n, columnCount: k) { target in
        for row in 0..<n { for side in 0..<k { target[row * k + side] = source[side * height + row] } }
      }
    }
  }
}
