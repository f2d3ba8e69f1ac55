extension Matrix {
  /// A range of rows that shares this matrix's elements.
  ///
  /// - Complexity: O(1).
  @inlinable
  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount, "row range out of bounds")
    return Matrix(
      rowCount: range.count, columnCount: columnCount, storage: storage,
      offset: offset + range.lowerBound * columnCount)
  }

  /// The elements of one row, copied.
  public func row(_ index: Int) -> [Scalar] {
    rows(index..<index + 1).withUnsafeElements { Array($0) }
  }

  /// The elements of one column, copied.
  public func column(_ index: Int) -> [Scalar] {
    precondition(index >= 0 && index < columnCount, "column out of range")
    return withUnsafeElements { elements in
      (0..<rowCount).map { elements[$0 * columnCount + index] }
    }
  }

  /// The rows with the given indices, copied in that order; an index may come more than once.
  ///
  /// - Complexity: O(indices × columns).
  public func gatheringRows(_ indices: some Collection<Int>) -> Matrix {
    gatheringRows(Array(indices))
  }

  /// The rows with the given indices, copied in that order; an index may come more than once.
  ///
  /// - Complexity: O(indices × columns).
  public func gatheringRows(_ indices: [Int]) -> Matrix {
    let width = columnCount
    return withUnsafeElements { source in
      Matrix(rowCount: indices.count, columnCount: width) { target in
        guard width > 0, let from = source.baseAddress, var to = target.baseAddress else { return }
        for index in indices {
          precondition(index >= 0 && index < rowCount, "row out of range")
          to.update(from: from + index * width, count: width)
          to += width
        }
      }
    }
  }

  /// All elements as rows of arrays, for tests and printing.
  public var rowArrays: [[Scalar]] { (0..<rowCount).map { row($0) } }

  /// All elements, row by row, copied.
  public var elements: [Scalar] { withUnsafeElements { Array($0) } }
}

extension Matrix: Equatable {
  /// Whether two matrices have the same shape and equal elements; NaN equals nothing.
  public static func == (left: Matrix, right: Matrix) -> Bool {
    guard left.rowCount == right.rowCount, left.columnCount == right.columnCount else { return false }
    return left.withUnsafeElements { a in
      right.withUnsafeElements { b in a.elementsEqual(b) }
    }
  }
}

extension Matrix: CustomStringConvertible {
  /// The rows on lines of their own; a large matrix is shown by its shape alone.
  public var description: String {
    guard count <= 100 else { return "Matrix<\(Scalar.self)>(\(shape))" }
    return rowArrays.map { "\($0)" }.joined(separator: "\n")
  }
}
