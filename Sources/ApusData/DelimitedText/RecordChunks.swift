import ApusParallel
import Foundation

/// A run of whole records, ended by a newline.
struct RecordChunk: Sendable {
  /// The memory the bytes lie in.
  let storage: SharedBytes
  /// The bytes.
  var bytes: Range<Int>
  /// Where the storage begins in the file.
  let storageOffset: Int

  /// Lends the first byte and the end.
  func withPointers<Result>(
    _ body: (_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(storage) {
      let base = storage.bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      return try body(base + bytes.lowerBound, base + bytes.upperBound)
    }
  }

  /// The position in the file of a byte of this chunk.
  func fileOffset(of pointer: UnsafePointer<UInt8>) -> Int {
    storageOffset + (UnsafeRawPointer(pointer) - storage.bytes.baseAddress!)
  }
}

/// Cuts a text into chunks of whole records, each about as long as ``size``.
///
/// Where the cuts fall depends on the text alone. A text without quotation marks is cut at newlines; otherwise
/// one walk from mark to mark finds the newlines that stand inside quotes, and refuses quotes that do not close.
struct RecordChunks {
  /// Small enough that two threads share a file of a megabyte evenly, large enough that a chunk's dictionaries
  /// cost little.
  static let size = 1 << 18

  /// The bytes behind a chunk that may be read: numbers are read eight bytes at a time.
  private static let padding = 8

  private let source: TextSource
  private let delimiter: UInt8
  private let start: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private var cuts: [Int] = []
  private var hasQuotedNewlines = false

  /// The chunks of a text that is not empty, from the byte at `offset`, and whether any cell of it goes over
  /// several lines.
  ///
  /// - Throws: ``ApusError`` of kind `data` where a quote does not close, or is followed by more text.
  static func cut(_ source: TextSource, from offset: Int, delimiter: UInt8) throws -> (
    chunks: [RecordChunk], hasQuotedNewlines: Bool
  ) {
    try source.withBytes { bytes in
      let base = bytes.baseAddress!
      var cutter = RecordChunks(
        source: source, delimiter: delimiter, start: base + offset, end: base + bytes.count)
      try cutter.findCuts()
      return (cutter.chunks(from: offset), cutter.hasQuotedNewlines)
    }
  }

  /// The chunks of a text in which quotation marks mean nothing.
  static func cutLines(_ source: TextSource, from offset: Int) -> [RecordChunk] {
    source.withBytes { bytes in
      let base = bytes.baseAddress!
      var cutter = RecordChunks(source: source, delimiter: 0, start: base + offset, end: base + bytes.count)
      var nextCut = cutter.start + min(size, cutter.end - cutter.start)
      cutter.cutOutsideQuotes(before: cutter.end, nextCut: &nextCut)
      return cutter.chunks(from: offset)
    }
  }

  private init(
    source: TextSource, delimiter: UInt8, start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>
  ) {
    self.source = source
    self.delimiter = delimiter
    self.start = start
    self.end = end
  }

  private mutating func findCuts() throws {
    var position = start
    var nextCut = start + min(Self.size, end - start)
    while true {
      let quote = find(Byte.quote, from: position) ?? end
      // Everything from `position` to `quote` stands outside quotes.
      cutOutsideQuotes(before: quote, nextCut: &nextCut)
      guard quote < end else { return }
      position = quote + 1
      if opensField(quote) {
        position = try closingQuote(of: quote) + 1
        if !hasQuotedNewlines { hasQuotedNewlines = find(Byte.newline, from: quote, to: position) != nil }
      }
      nextCut = max(nextCut, position)
    }
  }

  private mutating func cutOutsideQuotes(
    before limit: UnsafePointer<UInt8>, nextCut: inout UnsafePointer<UInt8>
  ) {
    while nextCut < limit, let newline = find(Byte.newline, from: nextCut, to: limit) {
      cuts.append(newline + 1 - start)
      nextCut = newline + 1 + min(Self.size, end - newline - 1)
    }
  }

  /// Whether a quotation mark is the first thing in its cell; others are ordinary letters.
  private func opensField(_ quote: UnsafePointer<UInt8>) -> Bool {
    var before = quote
    while before > start {
      before -= 1
      if before.pointee == delimiter || before.pointee == Byte.newline { return true }
      guard before.pointee == Byte.space || before.pointee == Byte.tab else { return false }
    }
    return true
  }

  private func closingQuote(of opening: UnsafePointer<UInt8>) throws -> UnsafePointer<UInt8> {
    var position = opening + 1
    while let quote = find(Byte.quote, from: position) {
      if quote + 1 < end, quote[1] == Byte.quote {
        position = quote + 2
      } else {
        try requireEndOfField(after: quote, of: opening)
        return quote
      }
    }
    throw source.error(
      "a quoted cell begins here and does not end", at: offset(opening),
      hint: "close it with a quotation mark; a mark inside a quoted cell is written twice")
  }

  private func requireEndOfField(
    after quote: UnsafePointer<UInt8>, of opening: UnsafePointer<UInt8>
  ) throws {
    var after = quote + 1
    while after < end, after.pointee != delimiter {
      switch after.pointee {
      case Byte.newline: return
      case Byte.space, Byte.tab, Byte.carriageReturn: after += 1
      default:
        let excerpt = String(
          decoding: UnsafeBufferPointer(start: after, count: min(12, end - after)), as: UTF8.self)
        throw source.error(
          "found \"\(excerpt.prefix(10))\" after the quoted cell that begins on line \(source.line(of: offset(opening)))",
          at: offset(quote),
          hint: "a quotation mark inside a quoted cell is written twice")
      }
    }
  }

  private func find(
    _ byte: UInt8, from position: UnsafePointer<UInt8>, to limit: UnsafePointer<UInt8>? = nil
  ) -> UnsafePointer<UInt8>? {
    let limit = limit ?? end
    guard position < limit, let found = memchr(position, Int32(byte), limit - position) else { return nil }
    return UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
  }

  private func offset(_ pointer: UnsafePointer<UInt8>) -> Int {
    UnsafeRawPointer(pointer) - source.bytes.baseAddress!
  }

  private func chunks(from offset: Int) -> [RecordChunk] {
    let count = end - start
    let bounds = [0] + cuts + (cuts.last == count ? [] : [count])
    var chunks = zip(bounds, bounds.dropFirst()).map { lower, upper in
      RecordChunk(
        storage: source.storage, bytes: lower + offset..<upper + offset, storageOffset: 0)
    }
    // The last chunk may lack its newline, and beyond the end of the file nothing may be read.
    chunks.append(padded(chunks.removeLast()))
    return chunks
  }

  /// A copy of the last chunk that ends with a newline, with room to read on behind it.
  private func padded(_ chunk: RecordChunk) -> RecordChunk {
    let count = chunk.bytes.count
    let copy = SharedBytes(count: count + 1 + Self.padding) { bytes in
      bytes.copyBytes(from: source.bytes[chunk.bytes])
      bytes[count...].initializeMemory(as: UInt8.self, repeating: Byte.newline)
    }
    let needsNewline = source.bytes[chunk.bytes.upperBound - 1] != Byte.newline
    return RecordChunk(
      storage: copy, bytes: 0..<count + (needsNewline ? 1 : 0), storageOffset: chunk.bytes.lowerBound)
  }
}
