import GRDB

/// When a fit was finished and scored, and where.
package struct FitTime: Sendable {
  package var session: Int
  package var worker: String?
  /// Seconds since 1970.
  package var finished: Double
  /// What fitting and scoring took.
  package var seconds: Double
  package var hasFailed: Bool
}

extension SQLiteStudyStore {
  package func timeline(of study: Int, limit: Int) throws -> [FitTime] {
    try read { database in
      let span = try Row.fetchOne(
        database,
        sql: """
          SELECT count(*), min(fit.id) FROM fit JOIN candidate ON candidate.id = fit.candidate WHERE study = ?
          """, arguments: [study])
      let count: Int = span?[0] ?? 0
      return try Row.fetchAll(
        database,
        sql: """
          SELECT session, worker, finished, fit_seconds + coalesce(score_seconds, 0), reason FROM fit
          JOIN candidate ON candidate.id = fit.candidate
          WHERE study = ? AND (fit.id % ? = 0 OR reason IS NOT NULL) ORDER BY fit.id LIMIT ?
          """, arguments: [study, max(1, (count + limit - 1) / max(1, limit)), 2 * limit]
      ).map { row in
        FitTime(
          session: row[0], worker: row[1], finished: row[2], seconds: row[3] ?? .nan, hasFailed: row[4] != nil
        )
      }
    }
  }
}
