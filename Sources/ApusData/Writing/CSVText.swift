import ApusParallel

/// Writes tables as CSV text, such as predictions and results.
///
/// ```swift
/// var text = CSVText(header: ["id", "label"])
/// text.append(["1", "a, b"])
/// try text.write(to: "predictions.csv")
/// ```
public struct CSVText: Sendable {
  /// The bytes of the rows so far.
  public private(set) var bytes: [UInt8] = []
  private let columnCount: Int

  /// Begins with the names of the columns.
  public init(header: [String]) {
    columnCount = header.count
    append(header)
  }

  /// Appends a row; cells with commas, quotation marks or line ends are quoted, as are empty rows of one column,
  /// which would read as no row at all.
  ///
  /// - Precondition: there are as many cells as column names.
  public mutating func append(_ cells: [String]) {
    precondition(cells.count == columnCount, "\(cells.count) cells for \(columnCount) columns")
    for (index, cell) in cells.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      append(cell, isOnly: cells.count == 1)
    }
    bytes.append(Byte.newline)
  }

  /// The text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Writes the text to a file, or to a device such as `/dev/stdout`.
  ///
  /// - Throws: ``ApusError`` of kind `file`.
  public func write(to path: String) throws { try FileBytes.write(bytes, to: path) }

  /// A number as the shortest decimal that reads back the same; empty for NaN.
  public static func cell(_ number: Double) -> String {
    if number.isNaN { return "" }
    if let whole = Int(exactly: number), abs(whole) < 1 << 53, !(number == 0 && number.sign == .minus) {
      return String(whole)
    }
    return "\(number)"
  }

  private mutating func append(_ cell: String, isOnly: Bool) {
    let needsQuotes =
      cell.utf8.contains { [UInt8(ascii: ","), Byte.quote, Byte.newline, Byte.carriageReturn].contains($0) }
      || cell.first == " " || cell.last == " " || cell.first == "\t" || cell.last == "\t"
      || (isOnly && cell.isEmpty)
    guard needsQuotes else {
      bytes += cell.utf8
      return
    }
    bytes.append(Byte.quote)
    for byte in cell.utf8 {
      if byte == Byte.quote { bytes.append(Byte.quote) }
      bytes.append(byte)
    }
    bytes.append(Byte.quote)
  }
}
