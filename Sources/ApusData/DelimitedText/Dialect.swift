import ApusParallel

/// How a delimited text is written: which byte parts its cells, and whether its first record names the columns.
struct Dialect {
  /// The byte between cells.
  let delimiter: UInt8

  /// Takes the delimiter from the options, or looks for it in the first lines.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a delimiter that cannot be one.
  init(_ source: TextSource, options: TableOptions) throws {
    guard let character = options.delimiter else {
      delimiter = source.withBytes { Self.detect($0.dropFirst(source.byteOrderMarkLength)) }
      return
    }
    let forbidden: [Character] = ["\"", "\n", "\r", ".", "-", "+", " "]
    guard let byte = character.asciiValue, !forbidden.contains(character), !character.isLetter,
      !character.isNumber
    else {
      throw ApusError(
        .invalidParameter, "'\(character)' cannot part the cells of a file",
        hint: "use a comma, a tab, a semicolon or another sign")
    }
    delimiter = byte
  }

  /// The candidate that comes equally often, and most often, in the first lines; a comma where none does.
  private static func detect(_ bytes: some Collection<UInt8>) -> UInt8 {
    let candidates = [UInt8(ascii: ","), Byte.tab, UInt8(ascii: ";")]
    let lines = counts(of: candidates, in: bytes)
    guard let first = lines.first else { return candidates[0] }
    let steady = candidates.indices.filter { index in
      first[index] > 0 && lines.allSatisfy { $0[index] == first[index] }
    }
    let usable = steady.isEmpty ? candidates.indices.filter { first[$0] > 0 } : steady
    return usable.max { first[$0] < first[$1] }.map { candidates[$0] } ?? candidates[0]
  }

  /// How often each candidate comes outside quotes in each of the first ten lines that are not empty.
  private static func counts(of candidates: [UInt8], in bytes: some Collection<UInt8>) -> [[Int]] {
    var lines: [[Int]] = []
    var line = candidates.map { _ in 0 }
    var isQuoted = false
    var isEmpty = true
    // The last line of a very long first part may be cut, so it is left out.
    for byte in bytes.prefix(1 << 20) {
      if byte == Byte.newline && !isQuoted {
        if !isEmpty { lines.append(line) }
        line = candidates.map { _ in 0 }
        isEmpty = true
        if lines.count == 10 { return lines }
        continue
      }
      if byte == Byte.quote { isQuoted.toggle() }
      if byte != Byte.carriageReturn { isEmpty = false }
      if !isQuoted, let index = candidates.firstIndex(of: byte) { line[index] += 1 }
    }
    return lines.isEmpty ? [line] : lines
  }
}
