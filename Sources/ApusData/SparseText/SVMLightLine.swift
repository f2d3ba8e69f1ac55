import ApusParallel
import Foundation

/// A line of a file in SVMlight's format, read token by token.
struct SVMLightLine {
  private let source: TextSource
  private let chunk: RecordChunk
  private var position: UnsafePointer<UInt8>
  /// The newline.
  let end: UnsafePointer<UInt8>
  /// The first byte that is not read: the newline, or the `#` of a comment.
  private let textEnd: UnsafePointer<UInt8>
  /// The row's target.
  private(set) var target: Field
  /// The row's group, where the line has a `qid`.
  private(set) var group: Int32?

  init(source: TextSource, chunk: RecordChunk, from start: UnsafePointer<UInt8>) {
    self.source = source
    self.chunk = chunk
    position = start
    var end = start
    var comment: UnsafePointer<UInt8>?
    while end.pointee != Byte.newline {
      if end.pointee == UInt8(ascii: "#"), comment == nil { comment = end }
      end += 1
    }
    self.end = end
    textEnd = comment ?? end
    target = Field(start: start, count: 0)
  }

  /// Reads the target and the group; false for an empty line.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  mutating func readTarget() throws -> Bool {
    guard let first = nextToken() else { return false }
    guard !first.bytes.contains(UInt8(ascii: ":")), !first.bytes.contains(UInt8(ascii: ",")) else {
      throw error(
        "expected one target, found \"\(first.excerpt)\"", at: first, hint: "a line begins with its target")
    }
    target = first
    let rest = position
    if let token = nextToken(), token.bytes.starts(with: Array("qid:".utf8)) {
      guard let number = Int32(String(decoding: token.bytes.dropFirst(4), as: UTF8.self)) else {
        throw error("expected a whole number after qid:, found \"\(token.excerpt)\"", at: token)
      }
      group = number
    } else {
      position = rest
    }
    return true
  }

  /// Reads `index:value`; nil at the end of the line.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  mutating func nextFeature() throws -> (index: Int, value: Double, token: Field)? {
    guard let token = nextToken() else { return nil }
    guard let colon = token.bytes.firstIndex(of: UInt8(ascii: ":")),
      let index = Self.index(token.bytes[..<colon])
    else { throw error("expected index:value, found \"\(token.excerpt)\"", at: token) }
    let value = Field(start: token.start + colon + 1, count: token.count - colon - 1)
    guard case .number(let number) = NumberCell(value, missing: Self.missing) else {
      if case .missing = NumberCell(value, missing: Self.missing), value.count > 0 {
        return (index, .nan, token)
      }
      throw error("expected a number after the colon, found \"\(token.excerpt)\"", at: token)
    }
    return (index, number, token)
  }

  private static let missing = MissingValues(["nan", "NaN"])

  private static func index(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 10 else { return nil }
    var index = 0
    for byte in bytes {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      index = index * 10 + Int(digit)
    }
    return index
  }

  private mutating func nextToken() -> Field? {
    while position < textEnd, Self.isSpace(position.pointee) { position += 1 }
    let start = position
    while position < textEnd, !Self.isSpace(position.pointee) { position += 1 }
    return position > start ? Field(start: start, count: position - start) : nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == Byte.space || byte == Byte.tab || byte == Byte.carriageReturn
  }

  /// An error about a token of this line.
  func error(_ message: String, at token: Field, hint: String? = nil) -> ApusError {
    source.error(message, at: chunk.fileOffset(of: token.start), hint: hint)
  }
}
