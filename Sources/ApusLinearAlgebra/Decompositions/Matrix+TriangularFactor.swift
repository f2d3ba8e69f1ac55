import ApusParallel

extension Matrix {
  /// The upper triangular factor R of `A = Q·R`, `n × n`, of an `m × n` matrix with `m ≥ n`.
  ///
  /// `RᵀR = AᵀA` without the loss of digits that forming `AᵀA` brings: R has A's singular values and right singular
  /// vectors. Its rows may have either sign.
  ///
  /// - Throws: ``ApusError`` of kind `shape` for fewer rows than columns, `numerical` for elements that are not finite.
  /// - Complexity: O(m · n²).
  public func triangularFactor() throws -> Matrix {
    guard rowCount >= columnCount else {
      throw ApusError(
        .shape, "a \(shape) matrix has fewer rows than columns, and so no square triangular factor")
    }
    try requireFinite(for: "a triangular factor")
    guard columnCount > 0 else { return self }
    var work = self
    work.withUnsafeMutableElements { Scalar.Routines.geqrf(rowCount, columnCount, $0.baseAddress!) }
    var factor = Matrix(rowCount: columnCount, columnCount: columnCount)
    work.withUnsafeElements { source in
      factor.withUnsafeMutableElements { target in
        for row in 0..<columnCount {
          for column in row..<columnCount {
            target[row * columnCount + column] = source[row * columnCount + column]
          }
        }
      }
    }
    return factor
  }
}
