/// The codes of one column, a row each, in one byte where they fit and two where not.
///
/// Unchecked Sendable: the codes are written by the initialiser alone.
final class CodeColumn: @unchecked Sendable {
  let bytes: UnsafeMutablePointer<UInt8>?
  let words: UnsafeMutablePointer<UInt16>?
  let count: Int

  /// Makes room for codes; `write` receives the place for one-byte codes or the one for two-byte codes.
  init(
    count: Int, isWide: Bool,
    _ write: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt16>?) -> Void
  ) {
    self.count = count
    bytes = isWide ? nil : .allocate(capacity: max(1, count))
    words = isWide ? .allocate(capacity: max(1, count)) : nil
    write(bytes, words)
  }

  deinit {
    bytes?.deallocate()
    words?.deallocate()
  }

  /// The code of a row.
  subscript(row: Int) -> Int { bytes.map { Int($0[row]) } ?? Int(words![row]) }
}
