import ApusParallel
import Foundation

/// The bytes of a text file that is being read, and the name by which messages speak of it.
struct TextSource: Sendable {
  /// The path as the user gave it.
  let path: String
  /// The bytes, inflated if the file was compressed.
  let storage: SharedBytes

  init(path: String, storage: SharedBytes) {
    self.path = path
    self.storage = storage
  }

  /// Reads a file, inflating gzip.
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data` for a damaged gzip file.
  init(contentsOf path: String) throws {
    try self.init(path: path, storage: FileBytes.inflated(contentsOf: path))
  }

  /// Text in memory.
  init(text: some Sequence<UInt8>, name: String) {
    let bytes = Array(text)
    self.init(path: name, storage: SharedBytes(count: bytes.count) { $0.copyBytes(from: bytes) })
  }

  var bytes: UnsafeRawBufferPointer { storage.bytes }

  /// The bytes as a pointer; only meaningful where there are bytes.
  func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(storage.bytes.bindMemory(to: UInt8.self)) }
  }

  /// The number of bytes of a byte order mark at the beginning.
  var byteOrderMarkLength: Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

  /// Refuses what is not text: an empty file, other encodings, and binary formats.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  func requireText() throws {
    guard bytes.count > byteOrderMarkLength else { throw error("the file is empty") }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw error("the file is UTF-16 text", hint: "convert it: iconv -f UTF-16 -t UTF-8")
    }
    for (magic, format) in Self.binaryFormats where bytes.starts(with: Array(magic.utf8)) {
      throw error("the file is \(format), not text", hint: "export it as CSV")
    }
    if let zero = memchr(bytes.baseAddress!, 0, bytes.count) {
      let offset = UnsafeRawPointer(zero) - bytes.baseAddress!
      throw error(
        "found a zero byte, so this is not a text file", at: offset,
        hint: "export the data as CSV, or read .npy and .npz files by their extension")
    }
  }

  private static let binaryFormats = [
    ("PK\u{3}\u{4}", "a zip archive or a spreadsheet"), ("PAR1", "a Parquet file"),
    ("ARROW1", "an Arrow file"), ("SQLite format 3", "an SQLite database"),
  ]

  /// An error about this file.
  ///
  /// - Parameters:
  ///   - offset: the byte where it stands, from which the line is counted; nil for the whole file.
  ///   - column: the field of the line, counted from 0.
  func error(_ message: String, at offset: Int? = nil, column: Int? = nil, hint: String? = nil) -> ApusError {
    ApusError(
      .data, message, hint: hint,
      at: ApusError.Location(file: path, line: offset.map(line(of:)), column: column.map { $0 + 1 }))
  }

  /// The line of a byte, counted from 1.
  func line(of offset: Int) -> Int {
    1 + bytes.prefix(offset).reduce(0) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
  }
}
