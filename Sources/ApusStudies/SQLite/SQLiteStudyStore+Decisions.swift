import Foundation
import GRDB

extension SQLiteStudyStore {
  package func decide(_ decision: String, step: Int, of search: String, in study: Int) throws -> String {
    try write { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO decision VALUES (?, ?, ?, ?, ?)",
        arguments: [study, search, step, Date().timeIntervalSince1970, decision])
      guard database.changesCount == 0 else { return decision }
      let earlier = try String.fetchOne(
        database, sql: "SELECT decision FROM decision WHERE study = ? AND search = ? AND step = ?",
        arguments: [study, search, step])
      return earlier ?? decision
    }
  }

  package func decisions(of search: String, in study: Int, from step: Int) throws -> [String] {
    try read { database in
      try String.fetchAll(
        database,
        sql: "SELECT decision FROM decision WHERE study = ? AND search = ? AND step >= ? ORDER BY step",
        arguments: [study, search, step])
    }
  }
}
