extension Matrix {
  /// The transpose, copied.
  ///
  /// - Complexity: O(rows × columns), in square tiles so that both sides stay in the cache.
  public func transposed() -> Matrix {
    let (rows, columns) = (rowCount, columnCount)
    return withUnsafeElements { source in
      Matrix(rowCount: columns, columnCount: rows) { target in
        transpose(source.baseAddress!, rows, columns, into: target.baseAddress!)
      }
    }
  }
}

/// Writes the transpose of a `rows × columns` matrix.
func transpose<Scalar>(
  _ source: UnsafePointer<Scalar>, _ rows: Int, _ columns: Int, into target: UnsafeMutablePointer<Scalar>
) {
  let tile = 32
  for firstRow in stride(from: 0, to: rows, by: tile) {
    let rowEnd = min(rows, firstRow &+ tile)
    for firstColumn in stride(from: 0, to: columns, by: tile) {
      let columnEnd = min(columns, firstColumn &+ tile)
      var row = firstRow
      while row < rowEnd {
        var column = firstColumn
        while column < columnEnd {
          target[column &* rows &+ row] = source[row &* columns &+ column]
          column &+= 1
        }
        row &+= 1
      }
    }
  }
}
