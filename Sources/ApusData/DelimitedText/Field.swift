/// A cell of a delimited text file: its bytes without surrounding spaces and quotation marks.
struct Field {
  /// The first byte.
  var start: UnsafePointer<UInt8>
  /// The number of bytes.
  var count: Int
  /// Whether the cell was quoted.
  var isQuoted = false
  /// Whether quotation marks inside are doubled.
  var hasDoubledQuotes = false

  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// The text of the cell; nil where it is not UTF-8.
  var text: String? {
    let unescaped = hasDoubledQuotes ? unescapedBytes : nil
    return unescaped.map { String(validating: $0, as: UTF8.self) }
      ?? String(validating: bytes, as: UTF8.self)
  }

  /// The bytes with doubled quotation marks made single.
  var unescapedBytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    var index = 0
    while index < count {
      result.append(start[index])
      index += start[index] == Byte.quote ? 2 : 1
    }
    return result
  }

  /// The cell as it stands in messages, at most 40 characters of it.
  var excerpt: String {
    let text = String(decoding: hasDoubledQuotes ? unescapedBytes : Array(bytes.prefix(200)), as: UTF8.self)
    return text.count <= 40 ? text : text.prefix(40) + "…"
  }
}

/// The bytes that mean something in a delimited text file.
enum Byte {
  static let newline = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let quote = UInt8(ascii: "\"")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
}

/// Cuts records into cells.
///
/// The text that is read must end with a newline outside quotation marks, which ``RecordChunks`` has made sure
/// of; so no step has to ask whether the end is reached.
struct FieldScanner {
  let delimiter: UInt8

  /// What followed a cell.
  enum Ending { case delimiter, record }

  /// Reads a cell and moves past the byte that ends it.
  @inline(__always)
  func next(_ position: inout UnsafePointer<UInt8>, _ field: inout Field) -> Ending {
    var start = position
    while isPadding(start.pointee) { start += 1 }
    if start.pointee == Byte.quote { return quoted(from: start, &position, &field) }
    var end = start
    while end.pointee != delimiter && end.pointee != Byte.newline { end += 1 }
    let ending = finish(end, &position)
    if ending == .record, end > start, end[-1] == Byte.carriageReturn { end -= 1 }
    while end > start, isPadding(end[-1]) { end -= 1 }
    field = Field(start: start, count: end - start)
    return ending
  }

  private func quoted(
    from quote: UnsafePointer<UInt8>, _ position: inout UnsafePointer<UInt8>, _ field: inout Field
  ) -> Ending {
    let start = quote + 1
    var end = start
    var hasDoubledQuotes = false
    while true {
      if end.pointee == Byte.quote {
        guard end[1] == Byte.quote else { break }
        hasDoubledQuotes = true
        end += 1
      }
      end += 1
    }
    field = Field(start: start, count: end - start, isQuoted: true, hasDoubledQuotes: hasDoubledQuotes)
    var after = end + 1
    while after.pointee != delimiter && after.pointee != Byte.newline { after += 1 }
    return finish(after, &position)
  }

  private func finish(_ end: UnsafePointer<UInt8>, _ position: inout UnsafePointer<UInt8>) -> Ending {
    position = end + 1
    return end.pointee == delimiter ? .delimiter : .record
  }

  /// Spaces around a cell do not belong to it; neither do tabs, unless they part the cells.
  @inline(__always)
  func isPadding(_ byte: UInt8) -> Bool {
    byte == Byte.space || (byte == Byte.tab && delimiter != Byte.tab)
  }

  /// Moves past empty lines; true when there is a record before `end`.
  @inline(__always)
  func skipEmptyLines(_ position: inout UnsafePointer<UInt8>, before end: UnsafePointer<UInt8>) -> Bool {
    while position < end {
      if position.pointee == Byte.newline {
        position += 1
      } else if position.pointee == Byte.carriageReturn, position[1] == Byte.newline {
        position += 2
      } else {
        return true
      }
    }
    return false
  }

  /// All cells of the record at a position, which moves past it.
  func record(_ position: inout UnsafePointer<UInt8>) -> [Field] {
    var fields: [Field] = []
    var field = Field(start: position, count: 0)
    while true {
      let ending = next(&position, &field)
      fields.append(field)
      if ending == .record { return fields }
    }
  }
}
