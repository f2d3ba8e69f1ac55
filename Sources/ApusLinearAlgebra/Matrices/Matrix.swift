import ApusParallel

/// A dense matrix, `rowCount × columnCount`, stored row by row without gaps.
///
/// A matrix is a value: assigning it shares the elements until one side writes. A range of rows
/// (``rows(_:)``) shares them too, and the elements may lie in a file that is mapped read-only
/// (``init(rowCount:columnCount:sharing:byteOffset:)``); the first write then makes a copy in memory.
///
/// ```swift
/// var a = Matrix<Double>([[1, 2], [3, 4]])
/// a[0, 1] = 5
/// let lastRow = a.rows(1..<2)
/// ```
public struct Matrix<Scalar: MatrixScalar>: Sendable {
  /// The number of rows.
  public let rowCount: Int
  /// The number of columns.
  public let columnCount: Int
  @usableFromInline var storage: MatrixStorage<Scalar>
  @usableFromInline var offset: Int

  @inlinable
  init(rowCount: Int, columnCount: Int, storage: MatrixStorage<Scalar>, offset: Int) {
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.storage = storage
    self.offset = offset
  }

  /// The number of elements.
  @inlinable public var count: Int { rowCount * columnCount }

  /// The shape as it stands in messages: `150 × 4`.
  public var shape: String { "\(rowCount) × \(columnCount)" }

  // MARK: Making matrices

  /// A matrix whose elements are written by a function.
  ///
  /// - Parameter initialize: receives the uninitialised elements row by row and must write every one.
  @inlinable
  public init(
    rowCount: Int, columnCount: Int,
    initializingWith initialize: (UnsafeMutableBufferPointer<Scalar>) throws -> Void
  ) rethrows {
    precondition(
      rowCount >= 0 && columnCount >= 0, "a matrix cannot have a negative number of rows or columns")
    let storage = MatrixStorage<Scalar>(count: rowCount * columnCount)
    try initialize(UnsafeMutableBufferPointer(start: storage.base, count: storage.count))
    self.init(rowCount: rowCount, columnCount: columnCount, storage: storage, offset: 0)
  }

  /// A matrix of equal elements.
  @inlinable
  public init(rowCount: Int, columnCount: Int, repeating value: Scalar = 0) {
    self.init(rowCount: rowCount, columnCount: columnCount) { $0.update(repeating: value) }
  }

  /// A matrix of given elements, row by row.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when there are not `rowCount × columnCount` of them.
  public init(rowCount: Int, columnCount: Int, elements: [Scalar]) throws {
    guard rowCount >= 0, columnCount >= 0,
      rowCount.multipliedReportingOverflow(by: columnCount) == (elements.count, false)
    else {
      throw ApusError(.shape, "\(elements.count) elements do not fill a \(rowCount) × \(columnCount) matrix")
    }
    self.init(rowCount: rowCount, columnCount: columnCount) { _ = $0.update(fromContentsOf: elements) }
  }

  /// A matrix of given rows, for examples and tests.
  ///
  /// - Precondition: all rows have the same length.
  public init(_ rows: [[Scalar]]) {
    let width = rows.first?.count ?? 0
    precondition(rows.allSatisfy { $0.count == width }, "the rows of a matrix must have the same length")
    self.init(rowCount: rows.count, columnCount: width) { elements in
      for (index, row) in rows.enumerated() {
        for (column, value) in row.enumerated() { elements[index * width + column] = value }
      }
    }
  }

  /// A matrix whose elements lie in a region of shared memory, such as a mapped file, which is not copied.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when the region is too short or the offset is not a multiple of
  ///   the element's size.
  public init(rowCount: Int, columnCount: Int, sharing bytes: SharedBytes, byteOffset: Int = 0) throws {
    let (count, isHuge) = rowCount.multipliedReportingOverflow(by: columnCount)
    let available = (bytes.bytes.count - max(0, byteOffset)) / MemoryLayout<Scalar>.stride
    guard rowCount >= 0, columnCount >= 0, byteOffset >= 0, !isHuge, count <= available else {
      throw ApusError(
        .shape,
        "a \(rowCount) × \(columnCount) matrix of \(MemoryLayout<Scalar>.stride) bytes an element does not fit the "
          + "\(bytes.bytes.count) bytes of the region from byte \(byteOffset) on")
    }
    let needed = count * MemoryLayout<Scalar>.stride
    guard needed > 0, let start = bytes.bytes.baseAddress else {
      self.init(rowCount: rowCount, columnCount: columnCount)
      return
    }
    let first = start + byteOffset
    guard Int(bitPattern: first) % MemoryLayout<Scalar>.alignment == 0 else {
      throw ApusError(
        .shape, "the elements of a matrix must be aligned, but they start at byte \(byteOffset)")
    }
    self.init(
      rowCount: rowCount, columnCount: columnCount,
      storage: MatrixStorage(
        reading: first.assumingMemoryBound(to: Scalar.self), count: rowCount * columnCount, owner: bytes),
      offset: 0)
  }

  // MARK: Elements

  /// The element in a row and a column, both counted from 0.
  @inlinable
  public subscript(row: Int, column: Int) -> Scalar {
    get {
      precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "index out of range")
      return storage.base[offset + row * columnCount + column]
    }
    set {
      precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "index out of range")
      makeUnique()
      storage.base[offset + row * columnCount + column] = newValue
    }
  }

  /// Lends the elements, row by row, for reading.
  @inlinable
  public func withUnsafeElements<Result>(
    _ body: (UnsafeBufferPointer<Scalar>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.base + offset, count: count))
    }
  }

  /// Lends the elements, row by row, for writing; copies them first if they are shared.
  @inlinable
  public mutating func withUnsafeMutableElements<Result>(
    _ body: (UnsafeMutableBufferPointer<Scalar>) throws -> Result
  ) rethrows -> Result {
    makeUnique()
    return try body(UnsafeMutableBufferPointer(start: storage.base + offset, count: count))
  }

  @usableFromInline
  mutating func makeUnique() {
    if storage.isWritable, isKnownUniquelyReferenced(&storage) { return }
    let copy = MatrixStorage<Scalar>(count: count)
    copy.base.update(from: storage.base + offset, count: count)
    storage = copy
    offset = 0
  }
}
