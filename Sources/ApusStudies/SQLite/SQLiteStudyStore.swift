import ApusML
import ApusParallel
import Foundation
import GRDB

/// Studies in one SQLite file, which several processes of a host may use at the same time.
///
/// The file is in write-ahead mode and every commit is synced, so what was committed survives a crash of the
/// process, of the host, and a loss of power.
package final class SQLiteStudyStore: StudyStore {
  /// The file.
  package let path: String
  let queue: DatabaseQueue
  /// The file that was opened.
  private let identity: FileIdentity?

  /// Opens a file to write to it.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - creates: whether a file is made where there is none.
  /// - Throws: ``ApusError``: `file` when it cannot be opened or does not exist, `format` for a file that is
  ///   foreign, newer or damaged, which is left as it was.
  package init(path: String, creates: Bool) throws {
    self.path = path
    if case .nothing = try StudyFileHeader.inspect(path) {
      guard creates else { throw Self.missing(path) }
      try Self.create(path)
    }
    queue = try Self.opened(path)
    identity = FileIdentity(path)
  }

  /// Opens a file to look into it; it is left as it is, and may lie where nothing can be written.
  ///
  /// - Parameter path: the file.
  /// - Throws: ``ApusError`` as ``init(path:creates:)`` does.
  package init(reading path: String) throws {
    self.path = path
    if case .nothing = try StudyFileHeader.inspect(path) { throw Self.missing(path) }
    queue = try Self.openedForReading(path)
    identity = FileIdentity(path)
  }

  /// Makes sure that what is written can be found again: a file that was removed lives on only until it is closed.
  ///
  /// - Throws: ``ApusError`` of kind `file` when the file is not at its path any more.
  func requireFileInPlace() throws {
    guard FileIdentity(path) != identity else { return }
    throw ApusError(
      .file, "\(path) was removed or replaced while a search was writing to it",
      hint: "what it held is lost with it; run the search again to begin a new study")
  }

  private static func missing(_ path: String) -> ApusError { ApusError(.file, "there is no study \(path)") }

  package func atOneMoment<Result>(_ body: () throws -> Result) throws -> Result {
    try read { _ in try body() }
  }

  /// Reads in one transaction: that of ``atOneMoment(_:)`` where there is one.
  func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
    try ApusError.translating(path) {
      try queue.unsafeReentrantRead { database in
        if database.isInsideTransaction { return try body(database) }
        try database.beginTransaction(.deferred)
        do {
          let result = try body(database)
          try database.commit()
          return result
        } catch {
          try? database.rollback()
          throw error
        }
      }
    }
  }

  /// Writes in one transaction.
  func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
    try ApusError.translating(path) { try queue.write(body) }
  }

  // MARK: Studies

  package func studies() throws -> [StudyDescription] { try read(Self.studies) }

  package func study(for description: StudyDescription, startingAnew startsAnew: Bool) throws -> Int {
    try write { database in
      let known =
        startsAnew
        ? [] : try Self.studies(database).filter { $0.whole?.study == description.whole?.study }
      if let match = known.last(where: { $0.identity == description.identity }) { return match.number }
      guard known.isEmpty || description.whole != nil else { throw refusal(description.identity, known) }
      let identity = String(decoding: try JSONEncoder.jobs.encode(description.identity), as: UTF8.self)
      try database.execute(
        sql: """
          INSERT INTO study(created, version, task, refit_metric, note, identity, whole, part)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          description.created, description.version, description.task.rawValue, description.refitMetric,
          description.note, identity, description.whole?.study, description.whole?.part,
        ])
      return Int(database.lastInsertedRowID)
    }
  }

  private func refusal(_ identity: JournaledSearch.Identity, _ known: [StudyDescription]) -> ApusError {
    // The study that is most like this search tells best what has changed.
    let differences = known.map { identity.differences(from: $0.identity) }
    let fewest = differences.min { $0.count < $1.count } ?? []
    return ApusError(
      .invalidParameter, "\(path) belongs to another search: \(fewest.joined(separator: "; "))",
      hint: "search as before to continue it, or begin a new study beside it (--new)")
  }

  private static func studies(_ database: Database) throws -> [StudyDescription] {
    let wholes = try schemaVersion(of: database) < 2 ? "NULL, NULL" : "whole, part"
    return try Row.fetchAll(
      database,
      sql: """
        SELECT id, created, version, task, refit_metric, note, identity, \(wholes) FROM study ORDER BY id
        """
    ).map { row in
      let identity = try? JSONDecoder.jobs.decode(
        JournaledSearch.Identity.self, from: Data((row[6] as String).utf8))
      guard let identity, let task = LearningTask(rawValue: row[3]) else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a study's description cannot be read")
      }
      return StudyDescription(
        number: row[0], created: row[1], version: row[2], task: task, refitMetric: row[4], note: row[5],
        whole: (row[7] as Int?).map { StudyDescription.Whole(study: $0, part: row[8] ?? "") },
        identity: identity)
    }
  }

  package func progress(of study: StudyDescription) throws -> Study.Progress {
    let row = try read { database in
      try Row.fetchOne(
        database,
        sql: """
          SELECT count(*), ifnull(sum(whole = ?), 0), ifnull(sum(fits), 0), ifnull(sum(failures), 0),
            ifnull(sum(fits) - sum(whole), 0) FROM (
            SELECT count(fit.id) AS fits, count(fit.reason) AS failures, count(iif(fold < ?, 1, NULL)) AS whole
            FROM candidate NOT INDEXED LEFT JOIN fit ON fit.candidate = candidate.id
            WHERE study = ? GROUP BY candidate.id)
          """, arguments: [study.foldCount, study.foldCount, study.number])
    }
    guard let row else { return Study.Progress() }
    return Study.Progress(
      candidates: row[0], finishedCandidates: row[1], fits: row[2], failures: row[3], partialFits: row[4])
  }

  package func remove(study: Int) throws {
    try write { database in
      try Self.requireNobodyAtWork(on: study, database)
      try database.execute(sql: "DELETE FROM study WHERE id = ?", arguments: [study])
    }
  }

  package func forgetFailures(of study: Int) throws -> Int {
    try write { database in
      try database.execute(
        sql: """
          DELETE FROM fit WHERE reason IS NOT NULL
            AND candidate IN (SELECT candidate.id FROM candidate JOIN study ON study.id = candidate.study
              WHERE ? IN (study.id, study.whole))
          """, arguments: [study])
      return database.changesCount
    }
  }
}
