import ApusParallel
import GRDB

extension ApusError {
  /// Does something with a study file; what SQLite reports becomes an error that says what to do.
  static func translating<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as DatabaseError { throw ApusError(error, path) }
  }

  init(_ error: DatabaseError, _ path: String) {
    let reason = error.message ?? "\(error.resultCode)"
    switch error.resultCode {
    case .SQLITE_FULL:
      self.init(
        .file, "the disk is full: cannot write the study \(path)",
        hint: "what was finished is kept; make room and run the same command again")
    case .SQLITE_IOERR:
      self.init(
        .file, "cannot write or read the study \(path): \(reason)",
        hint: "what was finished is kept; see to the disk or its limits and run the same command again")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      self.init(
        .format, "the study \(path) is damaged: \(reason)",
        hint: "restore it from a copy, or name another file; the file was left as it is")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(.file, "the study \(path) is held by another program", hint: "try again when it has let go")
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
      self.init(
        .file, "cannot open the study \(path): \(reason)",
        hint: "the file and its folder must be readable and writable")
    default: self.init(.file, "the study \(path) cannot be used: \(reason)")
    }
  }
}
