import ApusML
import ApusParallel
import Foundation
import GRDB

extension SQLiteStudyStore {
  /// Candidates that are added in one transaction, so that others need not wait long.
  private static var candidatesAtOnce: Int { 5_000 }

  package func addCandidates(
    _ count: Int, to study: Int, _ candidate: (Int) throws -> (estimator: AnyEstimator, varied: [String])
  ) throws -> [Int] {
    var numbers: [Int] = []
    numbers.reserveCapacity(count)
    var known = Set<[String]>()
    while numbers.count < count {
      try write { database in
        let find = try database.cachedStatement(
          sql: "SELECT id FROM candidate WHERE study = ? AND digest = ?")
        let add = try database.cachedStatement(
          sql: "INSERT OR IGNORE INTO candidate(study, digest, estimator, parameters) VALUES (?, ?, ?, ?)")
        for index in numbers.count..<min(count, numbers.count + Self.candidatesAtOnce) {
          let (estimator, varied) = try candidate(index)
          for name in varied where known.insert([estimator.name, name]).inserted {
            try database.execute(
              sql: "INSERT OR IGNORE INTO varied VALUES (?, ?, ?)", arguments: [study, estimator.name, name])
          }
          let parameters = CandidateText.parameters(of: estimator)
          let digest = CandidateText.digest(estimator: estimator.name, parameters: parameters).bytes
          try add.execute(arguments: [study, digest, estimator.name, parameters])
          let isNew = database.changesCount == 1
          numbers.append(
            isNew
              ? Int(database.lastInsertedRowID) : try Int.fetchOne(find, arguments: [study, digest]) ?? 0)
        }
      }
    }
    return numbers
  }

  package func hasConvergence(of study: Int) throws -> Bool {
    try read { database in
      try Bool.fetchOne(
        database,
        sql: """
          SELECT EXISTS (SELECT 1 FROM candidate JOIN fit ON fit.candidate = candidate.id
            WHERE study = ? AND iterations IS NOT NULL)
          """, arguments: [study]) ?? false
    }
  }

  package func variedParameters(of study: Int) throws -> [String: Set<String>] {
    try read { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT estimator, parameter FROM varied WHERE study = ?", arguments: [study])
      return rows.reduce(into: [:]) { $0[$1[0] as String, default: []].insert($1[1] as String) }
    }
  }

  package func forEachCandidate(of study: Int, _ body: (StoredCandidate) throws -> Void) throws {
    try read { database in
      // In the order of the rows themselves; by the index on digests they would have to be sorted first.
      try Self.forEachCandidate(
        Row.fetchCursor(
          database,
          sql: """
            SELECT \(Self.candidateColumns) FROM candidate NOT INDEXED
            LEFT JOIN fit ON fit.candidate = candidate.id WHERE study = ? ORDER BY candidate.id, fold
            """, arguments: [study]), body)
    }
  }

  package func forEachCandidate(numbered numbers: [Int], _ body: (StoredCandidate) throws -> Void) throws {
    try read { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT \(Self.candidateColumns) FROM candidate
          LEFT JOIN fit ON fit.candidate = candidate.id WHERE candidate.id = ? ORDER BY fold
          """)
      for number in numbers {
        try Self.forEachCandidate(Row.fetchCursor(statement, arguments: [number]), body)
      }
    }
  }

  package func candidateNumbers(of study: Int) throws -> [Int] {
    try read { database in
      try Int.fetchAll(
        database, sql: "SELECT id FROM candidate NOT INDEXED WHERE study = ? ORDER BY id", arguments: [study])
    }
  }

  package func failedCandidates(of study: Int, limit: Int) throws -> [Int] {
    try read { database in
      try Int.fetchAll(
        database,
        sql: """
          SELECT DISTINCT candidate FROM fit JOIN candidate ON candidate.id = fit.candidate
          WHERE reason IS NOT NULL AND study = ? ORDER BY candidate LIMIT ?
          """, arguments: [study, limit])
    }
  }

  private static let candidateColumns = "\(FitRow.columns), candidate.id, digest, estimator, parameters"

  /// Puts the rows of each candidate, which follow each other, together.
  private static func forEachCandidate(
    _ rows: RowCursor, _ body: (StoredCandidate) throws -> Void
  ) throws {
    var current: StoredCandidate?
    let first = FitRow.columnCount
    while let row = try rows.next() {
      let number: Int = row[first]
      if current?.number != number {
        if let current { try body(current) }
        current = StoredCandidate(
          number: number, digest: row[first + 1], estimator: row[first + 2], parameters: row[first + 3])
      }
      guard let finished = FitRow.fit(row) else { continue }
      current?.fits[finished.key.fold] = finished.fit
      let time = finished.fit.finished
      if let last = current?.lastFinished, time > last { current?.lastFinished = time }
    }
    if let current { try body(current) }
  }
}

extension Digest {
  /// The 32 bytes.
  fileprivate var bytes: Data {
    let digits = Array(hexadecimal.utf8)
    func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
    return Data((0..<32).map { value(digits[2 * $0]) << 4 | value(digits[2 * $0 + 1]) })
  }
}
