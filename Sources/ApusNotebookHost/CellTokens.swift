/// A word, a run of operator characters, a bracket, or a literal of a cell.
struct CellToken: Equatable {
  /// Bytes from the start of the cell.
  var range: Range<Int>
  /// Around it, how many parentheses, brackets and braces are open.
  var depth: Int
  /// Around it, how many braces are open.
  var braces: Int
}

/// Cuts a cell into tokens, so far as the kernel needs it: comments and what stands in strings are no tokens.
struct CellTokens {
  let bytes: [UInt8]
  private(set) var tokens: [CellToken] = []
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var depth = 0
    var braces = 0
    while position < bytes.count {
      let start = position
      let byte = bytes[position]
      if byte <= 32 {
        position += 1
        continue
      }
      if skipComment() { continue }
      if skipString() {
        tokens.append(CellToken(range: start..<position, depth: depth, braces: braces))
        continue
      }
      if Self.isWord(byte) {
        while position < bytes.count, Self.isWord(bytes[position]) { position += 1 }
      } else if Self.isOperator(byte) {
        while position < bytes.count, Self.isOperator(bytes[position]), !startsComment { position += 1 }
      } else {
        position += 1
      }
      if [41, 93, 125].contains(byte) { depth -= 1 }
      if byte == 125 { braces -= 1 }
      tokens.append(CellToken(range: start..<position, depth: depth, braces: braces))
      if [40, 91, 123].contains(byte) { depth += 1 }
      if byte == 123 { braces += 1 }
    }
  }

  func text(_ token: CellToken) -> String { String(decoding: bytes[token.range], as: UTF8.self) }

  private static func isWord(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
      || byte == 36 || byte == 96 || byte >= 128
  }

  private static func isOperator(_ byte: UInt8) -> Bool { "/=-+!*%<>&|^~?.".utf8.contains(byte) }

  private var startsComment: Bool { follows("//") || follows("/*") }

  private func follows(_ text: StaticString, at offset: Int = 0) -> Bool {
    text.withUTF8Buffer { wanted in
      let start = position + offset
      return start + wanted.count <= bytes.count && bytes[start..<start + wanted.count].elementsEqual(wanted)
    }
  }

  private mutating func skipComment() -> Bool {
    if follows("//") {
      while position < bytes.count, bytes[position] != 10 { position += 1 }
      return true
    }
    guard follows("/*") else { return false }
    var depth = 0
    repeat {
      if follows("/*") {
        depth += 1
        position += 2
      } else if follows("*/") {
        depth -= 1
        position += 2
      } else {
        position += 1
      }
    } while depth > 0 && position < bytes.count
    return true
  }

  /// Skips a string literal of any kind, with the expressions inside it.
  private mutating func skipString() -> Bool {
    var hashes = 0
    while position + hashes < bytes.count, bytes[position + hashes] == 35 { hashes += 1 }
    guard position + hashes < bytes.count, bytes[position + hashes] == 34 else { return false }
    position += hashes
    let quotes = follows("\"\"\"") ? 3 : 1
    position += quotes
    while position < bytes.count {
      if ends(quotes, hashes) {
        position += quotes + hashes
        return true
      }
      guard bytes[position] == 92 else {
        position += 1
        continue
      }
      position += 1
      guard bytes.dropFirst(position).prefix(hashes).allSatisfy({ $0 == 35 }) else { continue }
      position += hashes
      guard position < bytes.count else { break }
      if bytes[position] == 40 { skipInterpolation() } else { position += 1 }
    }
    return true
  }

  private func ends(_ quotes: Int, _ hashes: Int) -> Bool {
    let end = bytes.dropFirst(position).prefix(quotes + hashes)
    return end.count == quotes + hashes && end.prefix(quotes).allSatisfy { $0 == 34 }
      && end.dropFirst(quotes).allSatisfy { $0 == 35 }
  }

  private mutating func skipInterpolation() {
    var depth = 0
    repeat {
      if skipComment() || skipString() { continue }
      if bytes[position] == 40 { depth += 1 }
      if bytes[position] == 41 { depth -= 1 }
      position += 1
    } while depth > 0 && position < bytes.count
  }
}
