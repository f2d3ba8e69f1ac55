import ApusParallel
import Foundation

/// The first hundred bytes of a SQLite file, which say whose it is; read before SQLite is let near the file,
/// so that a file that is not a study is left as it is.
enum StudyFileHeader {
  /// `Apus` in ASCII: SQLite's application_id of a study file.
  static let applicationIdentifier = 0x4170_7573
  /// The version of the tables; a file with a higher one is refused.
  static let schemaVersion = 2

  /// What stands at a path.
  enum Finding {
    /// Nothing, or an empty file.
    case nothing
    /// A study file that this version can read.
    case study
  }

  /// Looks at a file.
  ///
  /// - Throws: ``ApusError`` of kind `format` for a file that is not a study, or a newer one; `file` when it
  ///   cannot be read.
  static func inspect(_ path: String) throws -> Finding {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT { return .nothing }
      throw ApusError.systemFailure("cannot open", path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ApusError(.file, "cannot keep a study in \(path): it is not a regular file")
    }
    if status.st_size == 0 { return .nothing }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw ApusError.systemFailure("cannot open", path)
    }
    defer { try? handle.close() }
    try check(Array((try? handle.read(upToCount: 100)) ?? Data()), path)
    return .study
  }

  private static func check(_ bytes: [UInt8], _ path: String) throws {
    func number(at offset: Int) -> Int {
      bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    guard bytes.count == 100, bytes.starts(with: Array("SQLite format 3\0".utf8)) else {
      throw ApusError(
        .format, "\(path) is not a study",
        hint: "name another file, or move this one away to begin a study in its place")
    }
    guard number(at: 68) == applicationIdentifier else {
      throw ApusError(
        .format, "\(path) is a SQLite database of another program, not a study", hint: "name another file")
    }
    let version = number(at: 60)
    guard version <= schemaVersion else {
      throw ApusError(
        .format,
        "\(path) was written by a newer version of Apus (format \(version), known up to \(schemaVersion))",
        hint: "update Apus to read it; the file was left as it is")
    }
  }
}
