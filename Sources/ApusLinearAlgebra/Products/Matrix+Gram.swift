import ApusParallel

extension Matrix {
  /// The Gram matrix `XᵀX` of this matrix's columns, `p × p`, or `XᵀWX` with a weight for each row.
  ///
  /// Half the multiplications of a general product, and exactly symmetric.
  ///
  /// - Parameters:
  ///   - weights: the diagonal of W: a number of at least 0 for each row; nil for ones.
  ///   - compute: the threads that may be used; their number does not change a bit of the result.
  /// - Throws: ``ApusError`` of kind `shape` when the weights do not fit, `numerical` for a negative weight,
  ///   or `cancelled`.
  /// - Complexity: O(n · p²).
  public func gram(weights: [Scalar]? = nil, _ compute: ComputeContext = .sequential) throws -> Matrix {
    if let weights {
      guard weights.count == rowCount else {
        throw ApusError(.shape, "\(weights.count) weights for the rows of a matrix of \(shape)")
      }
      guard weights.allSatisfy({ $0 >= 0 }) else {
        throw ApusError(.numerical, "the weights of a Gram matrix must be at least 0")
      }
    }
    let (n, p) = (rowCount, columnCount)
    let root = weights?.map { $0.squareRoot() }
    let scaled = root.map(scalingRows) ?? self
    return try scaled.withUnsafeElements { x in
      try Matrix(rowCount: p, columnCount: p) { gram in
        try BlockedProducts.gram(
          n: p, k: n, a: x.baseAddress!, aStride: p, c: gram.baseAddress!, cStride: p, compute)
        mirrorLowerTriangle(gram.baseAddress!, p)
      }
    }
  }

  /// The outer Gram matrix `XXᵀ` of this matrix's rows, `n × n`.
  ///
  /// - Parameter compute: the threads that may be used; their number does not change a bit of the result.
  /// - Throws: ``ApusError`` of kind `cancelled`.
  /// - Complexity: O(n² · p).
  public func outerGram(_ compute: ComputeContext = .sequential) throws -> Matrix {
    let (n, p) = (rowCount, columnCount)
    return try withUnsafeElements { x in
      try Matrix(rowCount: n, columnCount: n) { gram in
        try BlockedProducts.outerGram(
          n: n, k: p, a: x.baseAddress!, aStride: p, c: gram.baseAddress!, cStride: n, compute)
        mirrorLowerTriangle(gram.baseAddress!, n)
      }
    }
  }

  /// Each row times a factor of its own.
  private func scalingRows(by factors: [Scalar]) -> Matrix {
    let width = columnCount
    return withUnsafeElements { source in
      Matrix(rowCount: rowCount, columnCount: width) { target in
        for (row, factor) in factors.enumerated() {
          for index in row * width..<(row + 1) * width { target[index] = source[index] * factor }
        }
      }
    }
  }
}

/// Copies what lies below the diagonal of a square matrix to above it.
func mirrorLowerTriangle<Scalar>(_ matrix: UnsafeMutablePointer<Scalar>, _ size: Int) {
  for row in 0..<size {
    for column in 0..<row { matrix[column * size + row] = matrix[row * size + column] }
  }
}
