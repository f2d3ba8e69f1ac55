import ApusLinearAlgebra
import ApusParallel

/// A NumPy array in a region of memory, such as a mapped file.
struct NPYArray: Sendable {
  let path: String
  let header: NPYHeader
  private let storage: SharedBytes
  private let start: Int

  /// Reads the header of an array that begins at a byte of a region.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  init(_ storage: SharedBytes, bytes: Range<Int>? = nil, path: String) throws {
    let bytes = bytes ?? 0..<storage.bytes.count
    header = try NPYHeader(UnsafeRawBufferPointer(rebasing: storage.bytes[bytes]), path: path)
    self.storage = storage
    self.path = path
    start = bytes.lowerBound + header.dataOffset
  }

  /// Whether the elements are text.
  var isText: Bool { header.kind == .unicode || header.kind == .bytes }

  /// The array as a matrix: a row a first index; a list becomes one column. Doubles that lie row by row are not
  /// copied.
  ///
  /// - Throws: ``ApusError`` of kind `data` for text and for more than two indices.
  func matrix() throws -> Matrix<Double> {
    guard header.shape.count == 1 || header.shape.count == 2 else {
      throw error("an array of shape \(header.shape) is not a table", hint: "reshape it to two dimensions")
    }
    let (rowCount, columnCount) = (header.shape[0], header.shape.count == 2 ? header.shape[1] : 1)
    guard !isText else { throw error("the features are text", hint: "save numbers, or write a CSV file") }
    let isTransposed = header.isFortranOrder && rowCount > 1 && columnCount > 1
    if header.kind == .floating, header.size == 8, !header.isBigEndian, !isTransposed, start % 8 == 0 {
      return try Matrix(rowCount: rowCount, columnCount: columnCount, sharing: storage, byteOffset: start)
    }
    return Matrix(rowCount: rowCount, columnCount: columnCount) { elements in
      withExtendedLifetime(storage) {
        convert(elements, rowCount: rowCount, columnCount: columnCount, isTransposed: isTransposed)
      }
    }
  }

  /// The array as one list of numbers.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a table of several columns.
  func numbers(for role: String) throws -> [Double] {
    try requireList(for: role)
    return try matrix().elements
  }

  /// The array as one list of labels: text, or numbers as they are printed.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a table of several columns.
  func labels(for role: String) throws -> [String] {
    try requireList(for: role)
    switch header.kind {
    case .unicode: return (0..<header.count).map(unicodeText)
    case .bytes: return (0..<header.count).map(byteText)
    case .boolean: return try matrix().elements.map { $0 == 0 ? "False" : "True" }
    default: return try matrix().elements.map { Int(exactly: $0).map(String.init) ?? "\($0)" }
    }
  }

  private func requireList(for role: String) throws {
    guard header.shape.count == 1 || (header.shape.count == 2 && header.shape[1] == 1) else {
      throw error(
        "an array of shape \(header.shape) cannot be the \(role)", hint: "it must be a list, a number a row")
    }
  }

  private func error(_ message: String, hint: String) -> ApusError {
    ApusError(.data, message, hint: hint, at: ApusError.Location(file: path))
  }

  private func unicodeText(_ index: Int) -> String {
    var scalars = String.UnicodeScalarView()
    for position in 0..<header.size / 4 {
      let code: UInt32 = load(start + index * header.size + position * 4)
      scalars.append(Unicode.Scalar(code) ?? "\u{FFFD}")
    }
    return String(String(scalars).prefixBeforeTrailingZeros)
  }

  private func byteText(_ index: Int) -> String {
    let first = start + index * header.size
    let text = String(decoding: storage.bytes[first..<first + header.size], as: UTF8.self)
    return String(text.prefixBeforeTrailingZeros)
  }

  private func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Number {
    let value = storage.bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)
    return header.isBigEndian ? Number(bigEndian: value) : Number(littleEndian: value)
  }
}

// MARK: Conversion

extension NPYArray {
  private func convert(
    _ elements: UnsafeMutableBufferPointer<Double>, rowCount: Int, columnCount: Int, isTransposed: Bool
  ) {
    switch (header.kind, header.size) {
    case (.floating, 8): fill { Double(bitPattern: load($0)) }
    case (.floating, _): fill { Double(Float(bitPattern: load($0))) }
    case (.signed, 1): fill { Double(load($0) as Int8) }
    case (.signed, 2): fill { Double(load($0) as Int16) }
    case (.signed, 4): fill { Double(load($0) as Int32) }
    case (.signed, _): fill { Double(load($0) as Int64) }
    case (.unsigned, 2): fill { Double(load($0) as UInt16) }
    case (.unsigned, 4): fill { Double(load($0) as UInt32) }
    case (.unsigned, 8): fill { Double(load($0) as UInt64) }
    case (.boolean, _): fill { storage.bytes[$0] == 0 ? 0 : 1 }
    default: fill { Double(storage.bytes[$0]) }
    }

    func fill(_ value: (_ offset: Int) -> Double) {
      let size = header.size
      guard isTransposed else {
        for index in 0..<rowCount * columnCount { elements[index] = value(start + index * size) }
        return
      }
      // Blocks of columns keep the rows that are being written in the cache.
      for firstColumn in stride(from: 0, to: columnCount, by: 16) {
        let columns = firstColumn..<min(columnCount, firstColumn + 16)
        for row in 0..<rowCount {
          for column in columns {
            elements[row * columnCount + column] = value(start + (column * rowCount + row) * size)
          }
        }
      }
    }
  }
}

extension String {
  /// NumPy fills short texts with zeros.
  fileprivate var prefixBeforeTrailingZeros: Substring {
    guard let last = lastIndex(where: { $0 != "\0" }) else { return "" }
    return self[...last]
  }
}
