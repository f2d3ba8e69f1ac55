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
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT \(FitRow.columns), candidate.id, digest, estimator, parameters FROM candidate NOT INDEXED
          LEFT JOIN fit ON fit.candidate = candidate.id WHERE study = ? ORDER BY candidate.id, fold
          """, arguments: [study])
      var current: StoredCandidate?
      let first = FitRow.columnCount
      while let row = try rows.next() {
        let number: Int = row[first]
        if current?.number != number {
          if let current { try body(current) }
          current = StoredCandidate(
            number: number, digest: try Digest(bytes: row[first + 1]), estimator: row[first + 2],
            parameters: row[first + 3], fits: [:])
        }
        if let finished = FitRow.fit(row) { current?.fits[finished.key.fold] = finished.fit }
      }
      if let current { try body(current) }
    }
  }
}

extension Digest {
  /// The 32 bytes.
  fileprivate var bytes: Data {
    let digits = Array(hexadecimal.utf8)
    func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
    return Data((0..<32).map { value(digits[2 * $0]) << 4 | value(digits[2 * $0 + 1]) })
  }

  fileprivate init(bytes: Data) throws {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    guard let digest = Digest(hexadecimal: String(decoding: text, as: UTF8.self)) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a candidate's digest cannot be read")
    }
    self = digest
  }
}
