import ApusParallel

extension Matrix {
  /// The product `A·B`, where A is this matrix.
  ///
  /// - Parameters:
  ///   - right: B, with as many rows as A has columns.
  ///   - compute: the threads that may be used; their number does not change a bit of the result.
  /// - Throws: ``ApusError`` of kind `shape` that names both shapes, or `cancelled`.
  public func multiplied(by right: Matrix, _ compute: ComputeContext = .sequential) throws -> Matrix {
    try requireFit(columnCount == right.rowCount, "\(shape) · \(right.shape)", "A's columns and B's rows")
    let (m, n, k) = (rowCount, right.columnCount, columnCount)
    return try product(m, n, right) { a, b, c in
      try BlockedProducts.rowProduct(
        m: m, n: n, k: k, a: a, aStride: k, b: b, bStride: n, c: c, cStride: n, compute)
    }
  }

  /// The product `A·Bᵀ`, where A is this matrix.
  ///
  /// - Parameters:
  ///   - right: B, with as many columns as A.
  ///   - compute: the threads that may be used; their number does not change a bit of the result.
  /// - Throws: ``ApusError`` of kind `shape` that names both shapes, or `cancelled`.
  public func multiplied(
    byTransposeOf right: Matrix, _ compute: ComputeContext = .sequential
  ) throws -> Matrix {
    try requireFit(
      columnCount == right.columnCount, "\(shape) · (\(right.shape))ᵀ", "both numbers of columns")
    let (m, n, k) = (rowCount, right.rowCount, columnCount)
    return try product(m, n, right) { a, b, c in
      try BlockedProducts.rowProduct(
        m: m, n: n, k: k, a: a, aStride: k, b: b, bStride: k, transposeB: true, c: c, cStride: n, compute)
    }
  }

  /// The product `Aᵀ·B`, where A is this matrix.
  ///
  /// - Parameters:
  ///   - right: B, with as many rows as A.
  ///   - compute: the threads that may be used; their number does not change a bit of the result.
  /// - Throws: ``ApusError`` of kind `shape` that names both shapes, or `cancelled`.
  public func transposedMultiplied(
    by right: Matrix, _ compute: ComputeContext = .sequential
  ) throws -> Matrix {
    try requireFit(rowCount == right.rowCount, "(\(shape))ᵀ · \(right.shape)", "both numbers of rows")
    let (m, n, k) = (columnCount, right.columnCount, rowCount)
    return try product(m, n, right) { a, b, c in
      try BlockedProducts.columnProduct(
        m: m, n: n, k: k, a: a, aStride: m, b: b, bStride: n, c: c, cStride: n, compute)
    }
  }

  /// The product `A·x` of this matrix and a vector.
  ///
  /// - Parameters:
  ///   - vector: x, with as many elements as A has columns.
  ///   - compute: the threads that may be used; their number does not change a bit of the result.
  /// - Throws: ``ApusError`` of kind `shape` that names both sizes, or `cancelled`.
  public func multiplied(by vector: [Scalar], _ compute: ComputeContext = .sequential) throws -> [Scalar] {
    try requireFit(
      columnCount == vector.count, "\(shape) · a vector of \(vector.count)", "A's columns and it")
    let (m, n) = (rowCount, columnCount)
    return try product(m, vector) { a, x, y in
      try BlockedProducts.rowProduct(m: m, n: n, a: a, aStride: n, x: x, y: y, compute)
    }
  }

  /// The product `Aᵀ·x` of this matrix, transposed, and a vector.
  ///
  /// - Parameters:
  ///   - vector: x, with as many elements as A has rows.
  ///   - compute: the threads that may be used; their number does not change a bit of the result.
  /// - Throws: ``ApusError`` of kind `shape` that names both sizes, or `cancelled`.
  public func transposedMultiplied(
    by vector: [Scalar], _ compute: ComputeContext = .sequential
  ) throws -> [Scalar] {
    try requireFit(rowCount == vector.count, "(\(shape))ᵀ · a vector of \(vector.count)", "A's rows and it")
    let (m, n) = (rowCount, columnCount)
    return try product(n, vector) { a, x, y in
      try BlockedProducts.columnProduct(m: m, n: n, a: a, aStride: n, x: x, y: y, compute)
    }
  }

  private func requireFit(_ fits: Bool, _ product: String, _ what: String) throws {
    guard fits else {
      throw ApusError(.shape, "cannot multiply \(product)", hint: "\(what) must be the same number")
    }
  }

  /// Lends two matrices' elements and the place for their product; there is always an address, even for
  /// empty ones.
  private func product(
    _ rows: Int, _ columns: Int, _ right: Matrix,
    _ body: (UnsafePointer<Scalar>, UnsafePointer<Scalar>, UnsafeMutablePointer<Scalar>) throws -> Void
  ) throws -> Matrix {
    try withUnsafeElements { a in
      try right.withUnsafeElements { b in
        try Matrix(rowCount: rows, columnCount: columns) { c in
          try body(a.baseAddress!, b.baseAddress!, c.baseAddress!)
        }
      }
    }
  }

  private func product(
    _ count: Int, _ vector: [Scalar],
    _ body: (UnsafePointer<Scalar>, UnsafePointer<Scalar>, UnsafeMutablePointer<Scalar>) throws -> Void
  ) throws -> [Scalar] {
    guard count > 0, !vector.isEmpty else { return [Scalar](repeating: 0, count: count) }
    return try withUnsafeElements { a in
      try vector.withUnsafeBufferPointer { x in
        try [Scalar](unsafeUninitializedCapacity: count) { y, filled in
          try body(a.baseAddress!, x.baseAddress!, y.baseAddress!)
          filled = count
        }
      }
    }
  }
}
