import ApusML
import ApusParallel
import Foundation
import GRDB

extension SQLiteStudyStore {
  package func openSession(
    of process: ProcessIdentity, on study: Int, note: String? = nil
  ) throws -> Int {
    try write { database in
      let now = Date().timeIntervalSince1970
      try database.execute(
        sql: """
          INSERT INTO session(study, world, process, process_start, started, heartbeat, note)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """, arguments: [study, process.world, process.number, process.start, now, now, note])
      return Int(database.lastInsertedRowID)
    }
  }

  package func notes(of study: StudyDescription) throws -> [String] {
    let later = try read { database in
      try Self.schemaVersion(of: database) < 2
        ? []
        : try String.fetchAll(
          database,
          sql: """
            SELECT note FROM session WHERE study = ? AND note IS NOT NULL GROUP BY note ORDER BY min(id)
            """, arguments: [study.number])
    }
    return (study.note.map { [$0] } ?? []) + later.filter { $0 != study.note }
  }

  package func beat(_ session: Int) throws {
    try write { database in
      let now = Date().timeIntervalSince1970
      try Self.renewLeasesAfterStandstill(database, session, now)
      try database.execute(
        sql: "UPDATE session SET heartbeat = ?, ended = NULL WHERE id = ?", arguments: [now, session])
    }
    // So that the file alone, without its log, never lacks more than what came since the last beat.
    try ApusError.translating(path) {
      try queue.writeWithoutTransaction { _ = try Row.fetchOne($0, sql: "PRAGMA wal_checkpoint(PASSIVE)") }
    }
  }

  package func closeSession(_ session: Int) throws {
    try write {
      let now = Date().timeIntervalSince1970
      try $0.execute(
        sql: "UPDATE session SET heartbeat = ?, ended = ?, held = NULL WHERE id = ?",
        arguments: [now, now, session])
    }
  }

  package func claim(
    _ wanted: [FitKey], holding held: some Sequence<FitKey>, for session: StudySession.Identity,
    since position: inout Int, onNews: (FinishedFit) -> Void
  ) throws -> [FitKey] {
    var granted: [FitKey] = []
    let start = position
    var end = position
    try write { database in
      try Self.renewLeasesAfterStandstill(database, session.session, Date().timeIntervalSince1970)
      var taken = try Self.heldByOthers(database, session)
      let news = try Row.fetchCursor(
        database,
        sql: """
          SELECT \(FitRow.columns) FROM fit CROSS JOIN candidate ON candidate.id = fit.candidate
          WHERE fit.id > ? AND fit.session <> ? AND study = ? ORDER BY fit.id
          """, arguments: [start, session.session, session.study])
      while let row = try news.next() {
        guard let fit = FitRow.fit(row) else { continue }
        if !wanted.isEmpty { taken.insert(fit.key) }
        onNews(fit)
      }
      end = try Int.fetchOne(database, sql: "SELECT max(id) FROM fit") ?? 0
      granted = wanted.filter { !taken.contains($0) }
      try database.execute(
        sql: "UPDATE session SET heartbeat = ?, ended = NULL, held = ? WHERE id = ?",
        arguments: [Date().timeIntervalSince1970, HeldFits.bytes(held, granted), session.session])
    }
    position = end
    return granted
  }

  /// What other living sessions hold; those that are gone lose what they held.
  private static func heldByOthers(
    _ database: Database, _ session: StudySession.Identity
  ) throws -> Set<FitKey> {
    let others = try Row.fetchAll(
      database,
      sql: """
        SELECT id, world, process, process_start, heartbeat, held FROM session
        WHERE study = ? AND id <> ? AND held IS NOT NULL
        """, arguments: [session.study, session.session])
    let now = Date().timeIntervalSince1970
    var taken = Set<FitKey>()
    for other in others {
      // A heartbeat from the future was written before the clock was set back.
      if isGone(other, silentFor: abs(now - other[4])) {
        try database.execute(
          sql: "UPDATE session SET ended = heartbeat, held = NULL WHERE id = ?", arguments: [other[0] as Int])
      } else {
        HeldFits.forEach(other[5]) { taken.insert($0) }
      }
    }
    return taken
  }

  /// Where this process was not heard either, a disk or a host stood still, and the others' silence since then says
  /// nothing: those that were alive when it was last heard get a new lease.
  private static func renewLeasesAfterStandstill(_ database: Database, _ session: Int, _ now: Double) throws {
    let own = try Row.fetchOne(
      database, sql: "SELECT heartbeat, study FROM session WHERE id = ?", arguments: [session])
    guard let own, now - own[0] > 2 * StudySession.heartbeatInterval else { return }
    try database.execute(
      sql: """
        UPDATE session SET heartbeat = ?
        WHERE study = ? AND id <> ? AND held IS NOT NULL AND ? - heartbeat <= ?
        """, arguments: [now, own[1] as Int, session, own[0] as Double, StudySession.leaseTime])
  }

  /// - Throws: ``ApusError`` of kind `invalidParameter` when a process is at work on a study or a part of it.
  static func requireNobodyAtWork(on study: Int, _ database: Database) throws {
    let now = Date().timeIntervalSince1970
    let sessions = try Row.fetchAll(
      database,
      sql: """
        SELECT session.id, world, process, process_start, heartbeat FROM session
        JOIN study ON study.id = session.study WHERE ? IN (study.id, study.whole) AND ended IS NULL
        """, arguments: [study])
    guard let session = sessions.first(where: { !isGone($0, silentFor: abs(now - $0[4])) }) else { return }
    throw ApusError(
      .invalidParameter, "process \(session[2] as Int) is at work on study \(study)",
      hint: "stop it first; a process that died counts as gone after \(Int(StudySession.leaseTime)) s")
  }

  private static func isGone(_ session: Row, silentFor silence: Double) -> Bool {
    let process = ProcessIdentity(world: session[1], number: session[2], start: session[3])
    return silence > StudySession.leaseTime || process.hasEnded
  }

  package func commit(_ fits: [FinishedFit], from session: Int) async throws {
    try requireFileInPlace()
    do {
      try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
        queue.asyncWrite { database in
          let insert = try database.cachedStatement(sql: FitRow.insertion)
          var repeated = 0
          for fit in fits {
            insert.setUncheckedArguments(FitRow.arguments(fit, session: session))
            try insert.execute()
            if database.changesCount == 0 { repeated += 1 }
          }
          guard repeated > 0 else { return }
          try database.execute(
            sql: "UPDATE session SET repeated = repeated + ? WHERE id = ?", arguments: [repeated, session])
        } completion: { _, result in
          done.resume(with: result)
        }
      }
    } catch let error as DatabaseError { throw ApusError(error, path) }
  }

  package func collectGarbage() throws {
    try write { database in
      for session in try Row.fetchAll(
        database,
        sql: "SELECT id, world, process, process_start, heartbeat FROM session WHERE ended IS NULL")
      where Self.isGone(session, silentFor: abs(Date().timeIntervalSince1970 - session[4])) {
        try database.execute(
          sql: "UPDATE session SET ended = heartbeat, held = NULL WHERE id = ?",
          arguments: [session[0] as Int])
      }
    }
    try ApusError.translating(path) {
      try queue.writeWithoutTransaction { database in
        try database.execute(sql: "VACUUM")
        _ = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      }
    }
  }
}

/// The fits that a session holds, as bytes: a candidate and a fold each, little-endian.
private enum HeldFits {
  static func bytes(_ parts: some Sequence<FitKey>, _ more: [FitKey]) -> Data {
    var packed: [Int64] = []
    for keys in [Array(parts), more] {
      for key in keys { packed.append(Int64(key.candidate) << 32 | Int64(key.fold)) }
    }
    return packed.withUnsafeBytes { Data($0) }
  }

  static func forEach(_ data: Data, _ body: (FitKey) -> Void) {
    var packed = [Int64](repeating: 0, count: data.count / 8)
    packed.withUnsafeMutableBytes { _ = data.copyBytes(to: $0) }
    for value in packed { body(FitKey(candidate: Int(value >> 32), fold: Int(value & 0xFFFF_FFFF))) }
  }
}
