import ApusParallel

/// The Cholesky decomposition `A = L·Lᵀ` of a symmetric positive definite matrix.
///
/// ```swift
/// let factor = try Cholesky(Matrix([[4.0, 2], [2, 3]]))
/// let x = try factor.solve([8, 7])  // [1.25, 1.5]
/// ```
public struct Cholesky<Scalar: MatrixScalar>: Sendable {
  /// The factor L, `n × n`, lower triangular with zeros above the diagonal.
  public let factor: Matrix<Scalar>

  /// Factors a matrix; only its lower triangle is read.
  ///
  /// - Throws: ``ApusError`` of kind `shape` for a matrix that is not square, of kind `numerical` for one that
  ///   is not positive definite; the message names the leading minor that showed it.
  /// - Complexity: n³/3 multiplications.
  public init(_ matrix: Matrix<Scalar>) throws {
    try matrix.requireSquare(for: "a Cholesky decomposition")
    let n = matrix.rowCount
    var factor = matrix
    let info = factor.withUnsafeMutableElements { a in
      n == 0 ? 0 : Scalar.Routines.potrf(n, a.baseAddress!, n)
    }
    guard info == 0 else {
      throw ApusError(
        .numerical,
        "the \(matrix.shape) matrix is not positive definite: its leading minor of order \(info) is not",
        hint: "add a positive number to the diagonal, or use least squares, which takes singular matrices")
    }
    factor.withUnsafeMutableElements { a in
      for row in 0..<n { for column in row + 1..<max(n, row + 1) { a[row * n + column] = 0 } }
    }
    // A NaN passes through the factorisation and must not pass for success.
    guard (0..<n).allSatisfy({ factor[$0, $0] > 0 && factor[$0, $0].isFinite }) else {
      throw ApusError(.numerical, "the \(matrix.shape) matrix has infinite or missing elements (NaN)")
    }
    self.factor = factor
  }

  /// The solution x of `A·x = b`.
  ///
  /// - Throws: ``ApusError`` of kind `shape`.
  public func solve(_ right: [Scalar]) throws -> [Scalar] {
    let n = factor.rowCount
    guard right.count == n else {
      throw ApusError(.shape, "a system of \(factor.shape) was given a right-hand side of \(right.count)")
    }
    var solution = right
    solution.withUnsafeMutableBufferPointer { b in
      factor.withUnsafeElements { l in
        if n > 0 {
          BLAS.choleskySolve(n: n, factor: l.baseAddress!, stride: n, b: b.baseAddress!)
        }
      }
    }
    return solution
  }

  /// The solution X of `A·X = B`, a right-hand side in each column of B.
  ///
  /// - Throws: ``ApusError`` of kind `shape` that names both shapes.
  public func solve(_ right: Matrix<Scalar>) throws -> Matrix<Scalar> {
    let n = factor.rowCount
    guard right.rowCount == n else {
      throw ApusError(.shape, "a system of \(factor.shape) was given right-hand sides of \(right.shape)")
    }
    var solution = right
    let width = right.columnCount
    guard n > 0, width > 0 else { return solution }
    solution.withUnsafeMutableElements { b in
      factor.withUnsafeElements { l in
        BLAS.choleskySolve(
          n: n, width: width, factor: l.baseAddress!, stride: n, b: b.baseAddress!, bStride: width)
      }
    }
    return solution
  }
}
