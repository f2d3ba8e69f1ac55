import ApusParallel
import Foundation
import GRDB

extension SQLiteStudyStore {
  /// Opens a file to write to it, once every page was read; a file of an older version gets what it lacks.
  static func opened(_ path: String) throws -> DatabaseQueue {
    try ApusError.translating(path) {
      let reader = try DatabaseQueue(path: path, configuration: configuration(readonly: true))
      try checkIntegrity(reader, path)
      try reader.close()
      let queue = try DatabaseQueue(path: path, configuration: configuration(readonly: false))
      try queue.write { database in
        guard try schemaVersion(of: database) < 2 else { return }
        try database.execute(
          sql: "\(StudySchema.additionsToVersion1) PRAGMA user_version = \(StudyFileHeader.schemaVersion);")
      }
      return queue
    }
  }

  /// Opens a file to look into it.
  ///
  /// SQLite keeps an index of the log in a file of its own beside the study, which cannot be made in a folder that is
  /// read-only, or on a full disk. Without a log there is nothing to index; otherwise the index can be held in memory, if
  /// no other process uses the study.
  static func openedForReading(_ path: String) throws -> DatabaseQueue {
    try ApusError.translating(path) {
      do {
        return try checked(DatabaseQueue(path: path, configuration: configuration(readonly: true)), path)
      } catch let error as DatabaseError where error.isOfThePlace {
        if !hasLog(path) {
          return try checked(
            DatabaseQueue(path: immutableAddress(path), configuration: configuration(readonly: true)), path)
        }
        do {
          return try checked(
            DatabaseQueue(path: path, configuration: configuration(readonly: false, isExclusive: true)), path)
        } catch let second as DatabaseError where second.isOfThePlace {
          throw ApusError(
            .file, "cannot open the study \(path): \(error.message ?? "\(error.resultCode)")",
            hint: "copy it, with \(path)-wal where there is one, to a folder that can be written")
        }
      }
    }
  }

  /// Makes the file beside its place and moves it there whole, so that nobody meets a half-made one.
  static func create(_ path: String) throws {
    let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...(.max))).new"
    defer { for suffix in ["", "-journal", "-wal", "-shm"] { unlink(temporary + suffix) } }
    try ApusError.translating(path) {
      let queue = try DatabaseQueue(path: temporary, configuration: configuration(readonly: false))
      try queue.writeWithoutTransaction { database in
        try database.execute(
          sql: """
            PRAGMA application_id = \(StudyFileHeader.applicationIdentifier);
            PRAGMA user_version = \(StudyFileHeader.schemaVersion);
            \(StudySchema.statements)
            """)
        _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
      }
      try queue.close()
    }
    var status = stat()
    if stat(path, &status) == 0, status.st_size == 0 { unlink(path) }
    // A link, unlike a rename, leaves alone what another process has put there in the meantime.
    guard link(temporary, path) == 0 || errno == EEXIST else {
      throw ApusError.systemFailure("cannot make the study", path)
    }
  }

  /// The version of a file's tables.
  static func schemaVersion(of database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
  }

  private static func configuration(readonly: Bool, isExclusive: Bool = false) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(30)
    configuration.prepareDatabase { database in
      if isExclusive { try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
      guard !readonly else { return }
      // The log is folded into the file every 16 MB: each page that was written many times is then written once.
      try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
    }
    return configuration
  }

  private static func checked(_ queue: DatabaseQueue, _ path: String) throws -> DatabaseQueue {
    try checkIntegrity(queue, path)
    return queue
  }

  /// Reads every page of the file without writing.
  private static func checkIntegrity(_ queue: DatabaseQueue, _ path: String) throws {
    let finding = try queue.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
    guard finding == "ok" else {
      throw ApusError(
        .format, "the study \(path) is damaged: \(finding ?? "no answer")",
        hint: "restore it from a copy, or name another file; the file was left as it is")
    }
  }

  private static func hasLog(_ path: String) -> Bool {
    var status = stat()
    return stat(path + "-wal", &status) == 0 && status.st_size > 0
  }

  /// The file as an address by which SQLite takes it for one that nobody changes.
  private static func immutableAddress(_ path: String) -> String {
    URL(fileURLWithPath: path).absoluteString + "?immutable=1"
  }
}

extension DatabaseError {
  /// Whether a file could not be opened for where it lies: files beside it cannot be made or locked.
  fileprivate var isOfThePlace: Bool {
    [.SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_FULL, .SQLITE_PERM].contains(resultCode)
  }
}
