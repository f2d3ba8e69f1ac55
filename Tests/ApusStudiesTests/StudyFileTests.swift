import ApusData
import ApusML
import ApusParallel
import ApusSearch
import ApusStudies
import Foundation
import GRDB
import Testing

@Suite struct StudyFileTests {
  private let options = SearchOptions(refits: false)

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was refused"
    } catch { return "\(error)" }
  }

  /// A study with some fits in it.
  private func made(_ scratch: ScratchStudy, candidates: Int = 4) async throws -> StudyFile {
    let file = try StudyFile(scratch.path)
    _ = try await GridSearch(grid(candidates, tag: "file"), options).run(
      on: rows(), keptIn: file, backend: SequentialBackend())
    return file
  }

  @Test func aFileThatIsNotAStudyIsLeftAlone() async throws {
    let scratch = try ScratchStudy()
    let url = URL(fileURLWithPath: scratch.path)
    #expect(message { _ = try StudyFile(scratch.path, creates: false) }.contains("there is no study"))
    #expect(scratch.files.isEmpty)

    try Data("a,b\n1,2\n".utf8).write(to: url)
    #expect(message { _ = try StudyFile(scratch.path) }.contains("is not a study"))
    #expect(try scratch.bytes() == Data("a,b\n1,2\n".utf8))

    try FileManager.default.removeItem(at: url)
    let foreign = try DatabaseQueue(path: scratch.path)
    try await foreign.write { try $0.execute(sql: "CREATE TABLE diary(day TEXT)") }
    try foreign.close()
    let before = try scratch.bytes()
    #expect(message { _ = try StudyFile(scratch.path) }.contains("another program"))
    #expect(try scratch.bytes() == before && scratch.files == ["sweep.sqlite"])
  }

  @Test func aNewerFileIsLeftAlone() async throws {
    let scratch = try ScratchStudy()
    do { _ = try await made(scratch) }
    let queue = try DatabaseQueue(path: scratch.path)
    try await queue.write { try $0.execute(sql: "PRAGMA user_version = 99") }
    try queue.close()
    let before = try scratch.bytes()
    #expect(message { _ = try StudyFile(scratch.path) }.contains("newer version of Apus (format 99"))
    #expect(try scratch.bytes() == before && scratch.files == ["sweep.sqlite"])
  }

  /// Version 1 knew no studies of parts of the rows.
  @Test func anOlderFileIsReadAsItIsAndCompletedByTheNextSearch() async throws {
    let scratch = try ScratchStudy()
    do { _ = try await made(scratch) }
    let queue = try DatabaseQueue(path: scratch.path)
    try await queue.writeWithoutTransaction { database in
      try database.execute(
        sql: """
          PRAGMA foreign_keys = OFF;
          PRAGMA legacy_alter_table = ON;
          ALTER TABLE study RENAME TO newer;
          CREATE TABLE study(
            id INTEGER PRIMARY KEY AUTOINCREMENT, created REAL NOT NULL, version TEXT NOT NULL, task TEXT NOT NULL,
            refit_metric TEXT NOT NULL, note TEXT, identity TEXT NOT NULL);
          INSERT INTO study SELECT id, created, version, task, refit_metric, note, identity FROM newer;
          DROP TABLE newer;
          ALTER TABLE session DROP COLUMN note;
          PRAGMA user_version = 1;
          """)
      _ = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
    try queue.close()
    let before = try scratch.bytes()
    #expect(try StudyFile(reading: scratch.path).study().progress().fits == 20)
    #expect(try scratch.bytes() == before)
    let nested = try await nestedCrossValidate(
      GridSearch(grid(4, tag: "file"), options).kept(in: StudyFile(scratch.path)), on: rows(),
      outer: KFold(folds: 2), backend: SequentialBackend())
    #expect(nested.folds.count == 2)
    _ = try await GridSearch(grid(4, tag: "file"), options).run(
      on: rows(), keptIn: StudyFile(scratch.path), note: "again", backend: SequentialBackend())
    let studies = try StudyFile(reading: scratch.path).studies()
    #expect(try studies[0].notes() == ["again"])
    #expect(studies.map(\.description.whole?.study) == [nil, 1, 1])
    #expect(
      studies.map(\.description.whole?.part) == [
        nil, "outer split 1 of 2, KFold", "outer split 2 of 2, KFold",
      ])
    #expect(try studies.map { try $0.progress().fits } == [20, 20, 20])
  }

  @Test(arguments: [0.2, 0.5, 0.9]) func aDamagedFileIsLeftAlone(place: Double) async throws {
    let scratch = try ScratchStudy()
    do { _ = try await made(scratch, candidates: 40) }
    var bytes = try scratch.bytes()
    // A page's header, which every check of the tree must notice.
    let page = Int(Double(bytes.count / 4096) * place) * 4096
    bytes.replaceSubrange(page..<page + 64, with: Data(repeating: 0xA5, count: 64))
    try bytes.write(to: URL(fileURLWithPath: scratch.path))
    #expect(message { _ = try StudyFile(scratch.path) }.contains("damaged"))
    #expect(try scratch.bytes() == bytes)
  }

  @Test func aTruncatedFileIsLeftAlone() async throws {
    let scratch = try ScratchStudy()
    do { _ = try await made(scratch, candidates: 40) }
    let bytes = try scratch.bytes().prefix(9_000)
    try bytes.write(to: URL(fileURLWithPath: scratch.path))
    #expect(message { _ = try StudyFile(scratch.path) }.contains("damaged"))
    #expect(try scratch.bytes() == bytes)
  }

  @Test func theLeaderboardIsThatOfTheSearch() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let outcome = try await GridSearch(grid(12, tag: "board", failsBelow: 1), options).run(
      on: rows(), keptIn: file, backend: SequentialBackend())
    let study = try file.study()
    #expect(try study.leaderboard(100).map(\.index) == outcome.results.ranked.map(\.index))
    #expect(try study.leaderboard(3) == Array(outcome.results.ranked.prefix(3)))
    #expect(try study.best() == outcome.best)
    #expect(message { _ = try study.best(by: "r3") }.contains("did you mean 'r2'"))
    #expect(message { _ = try file.study(5) }.contains("has no study 5"))
  }

  @Test func theTableIsThatOfTheSearch() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    var options = options
    options.metrics = [.r2, .peculiar]
    options.includesTrainScores = true
    let space = grid(6, tag: "table, \"quoted\"").varying(\.failsBelow, [nil, 2])
    let outcome = try await GridSearch(space, options).run(
      on: rows(), keptIn: file, backend: SequentialBackend())
    var csv = Data()
    try file.study().export(as: .csv) { csv += $0 }
    #expect(String(decoding: csv, as: UTF8.self) == outcome.results.table.csv)

    var json = Data()
    try file.study().export(as: .json) { json += $0 }
    let objects = try JSONDecoder().decode([[String: ParameterValue]].self, from: json)
    #expect(objects.count == 12 && objects[11]["param_value"]?.number == 5)

    // The layout of NumPy's format: magic, version, the header's length, then records of equal size.
    let path = scratch.folder.appendingPathComponent("table.npy").path
    try file.study().export(to: path)
    let npy = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(npy.prefix(8) == Data([0x93] + Array("NUMPY".utf8) + [1, 0]))
    let length = Int(npy[8]) | Int(npy[9]) << 8
    let header = String(decoding: npy[10..<10 + length], as: UTF8.self)
    #expect((10 + length) % 64 == 0 && header.hasSuffix("\n") && header.contains("'shape': (12,)"))
    #expect(header.contains("('mean_test_r2', '<f8')") && header.contains("('rank_test_r2', '<i8')"))
    #expect((npy.count - 10 - length) % 12 == 0)
    #expect(message { try file.study().export(to: "table.xlsx") }.contains(".csv, .json or .npy"))
  }

  /// Another process adds a candidate while a table is written, before each of its rows.
  @Test(arguments: StudyExportFormat.allCases) func aTableIsThatOfOneMoment(format: StudyExportFormat)
    async throws
  {
    let scratch = try ScratchStudy()
    let study = try await made(scratch, candidates: 6).study()
    var before = Data()
    try study.export(as: format) { before += $0 }
    let other = try DatabaseQueue(path: scratch.path)
    var beside = Data()
    try study.export(as: format) { piece in
      beside += piece
      try other.write { database in
        try database.execute(
          sql: """
            INSERT INTO candidate(study, digest, estimator, parameters)
            SELECT study, randomblob(32), estimator, parameters FROM candidate WHERE id = 1
            """)
        try database.execute(
          sql: """
            INSERT INTO fit(candidate, fold, session, finished, test)
            SELECT ?, fold, session, finished, test FROM fit WHERE candidate = 1
            """, arguments: [database.lastInsertedRowID])
      }
    }
    #expect(beside == before)
    #expect(try study.progress().candidates > 10)
  }

  /// A candidate's scores, for the rule that prefers simpler ones.
  @Test func theOneStandardErrorRuleIsThatOfTheSearch() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    var options = options
    options.choice = .oneStandardError()
    let space = ParameterGrid(Ridge()).varying(\.alpha, decades(from: -6, to: 2, count: 300))
    // A line with noise: a little of the penalty does best.
    let noise = try rows(60)
    let values = try noise.regressionTarget(for: "ridge").enumerated().map { row, value in
      2 * noise.features[row, 0] + value
    }
    let data = try Dataset(features: noise.features, target: .values(values))
    let outcome = try await GridSearch(space, options).run(
      on: data, keptIn: file, backend: SequentialBackend())
    let study = try file.study()
    let chosen = try #require(try study.chosen(by: .oneStandardError()))
    #expect(chosen.index == outcome.chosen?.index && chosen.index != outcome.best?.index)
    #expect(try study.chosen(by: .highestMean) == study.best())
  }

  private func decades(from low: Double, to high: Double, count: Int) -> [Double] {
    (0..<count).map { pow(10, low + (high - low) * Double($0) / Double(count - 1)) }
  }

  /// What a copy of the file without its log holds while a search is at work.
  @Test func aBeatFoldsTheLogIntoTheFile() async throws {
    let scratch = try ScratchStudy()
    let file = try await made(scratch, candidates: 10)
    defer { withExtendedLifetime(file) {} }
    let store = try SQLiteStudyStore(path: scratch.path, creates: false)
    let session = try store.openSession(of: .current, on: 1)
    let score = FitScores(test: [0.5], fitSeconds: 1, scoreSeconds: 1)
    _ = try store.addCandidates(1, to: 1) { _ in
      (AnyEstimator(CountedEstimator(value: 77, tag: "beat")), ["value"])
    }
    let number = try #require(try store.candidateNumbers(of: 1).last)
    try await store.commit(
      [FinishedFit(key: FitKey(candidate: number, fold: 0), fit: TriedFit(scores: score))], from: session)
    try store.beat(session)
    let copy = scratch.folder.appendingPathComponent("copy.sqlite").path
    try FileManager.default.copyItem(atPath: scratch.path, toPath: copy)
    #expect(try StudyFile(copy).study().progress().fits == 51)
  }

  /// While a search runs, and after it was killed, some candidates have a score on some folds only, the best one too.
  @Test func aReportOfUnfinishedCandidatesIsMade() async throws {
    let scratch = try ScratchStudy()
    let file = try await made(scratch, candidates: 8)
    try await DatabaseQueue(path: scratch.path).write {
      try $0.execute(sql: "DELETE FROM fit WHERE fold > candidate % 3")
    }
    let study = try file.study()
    let page = String(decoding: try study.report(path: scratch.path), as: UTF8.self)
    #expect(page.contains("\"candidateCount\":8") && page.contains("\"fitCount\":17"))
    #expect(try study.best() == nil && study.leaderboard(3).count == 3)
  }

  /// A number that is given again would hide new fits from a search that has read up to it.
  @Test func numbersOfFitsAreNotGivenTwice() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let search = GridSearch(grid(4, tag: "numbers", failsBelow: 10), options)
    await #expect(throws: ApusError.self) {
      try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    }
    #expect(try file.study().forgetFailures() == 20)
    await #expect(throws: ApusError.self) {
      try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    }
    let first = try await DatabaseQueue(path: scratch.path).read {
      try Int.fetchOne($0, sql: "SELECT min(id) FROM fit")
    }
    #expect(first == 21)
  }

  @Test func theTableSaysHowIterativeFitsEnded() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let space = ParameterGrid(Lasso(alpha: 1e-4, tolerance: 1e-12)).varying(\.maxIterations, [1, 1000])
    let outcome = try await GridSearch(space, options).run(
      on: rows(), keptIn: file, backend: SequentialBackend())
    let study = try file.study()
    var csv = Data()
    try study.export(as: .csv) { csv += $0 }
    #expect(String(decoding: csv, as: UTF8.self) == outcome.results.table.csv)
    #expect(outcome.results.table.columns.last == "max_residual")
    #expect(try study.leaderboard(2) == outcome.results.ranked)
    #expect(outcome.results.candidates[0].mostIterations == 1)
    #expect(try #require(outcome.results.candidates[1].largestResidual) >= 0)
  }

  @Test func studiesAreCompared() async throws {
    let (one, other) = (try ScratchStudy(), try ScratchStudy())
    let (left, right) = (try StudyFile(one.path), try StudyFile(other.path))
    _ = try await GridSearch(grid(5, tag: "diff"), options).run(
      on: rows(), keptIn: left, backend: SequentialBackend())
    var changed = options
    changed.seed = Seed(3)
    changed.splitter = KFold(folds: 5, shuffle: true)
    _ = try await GridSearch(grid(7, tag: "diff"), changed).run(
      on: rows(), keptIn: right, backend: SequentialBackend())
    let same = try StudyComparison(left.study(), left.study())
    #expect(same.settings.isEmpty && same.equalFits == 25 && same.commonFits == 25 && same.largest.isEmpty)
    let different = try StudyComparison(left.study(), right.study())
    #expect(different.settings.count == 2 && different.settings[0].contains("seed was 0, and is 3"))
    #expect(different.common == 5 && different.onlyLeft == 0 && different.onlyRight == 2)
    #expect(different.equalFits < different.commonFits)
    let sizes = different.largest.map { abs($0.left - $0.right) }
    #expect(sizes == sizes.sorted(by: >) && !sizes.isEmpty)
  }

  @Test func aStudyCanBeRemovedAndTheFileShrinks() async throws {
    let scratch = try ScratchStudy()
    let file = try await made(scratch, candidates: 200)
    var anew = options
    anew.seed = Seed(1)
    _ = try await GridSearch(grid(2, tag: "gc"), anew).run(
      on: rows(), keptIn: file, startingAnew: true, backend: SequentialBackend())
    try file.compact()
    let before = try scratch.bytes().count
    try file.remove(file.study(1))
    try file.compact()
    #expect(try scratch.bytes().count < before / 2)
    #expect(try file.studies().map(\.description.number) == [2])
    #expect(try file.study().progress().fits == 10)
  }

  @Test func tenThousandCandidatesWithTextParametersOpen() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let words = (0..<10_000).map { "a candidate that is known by the words number \($0)" }
    let space = grid(1, tag: "").varying(\.tag, words)
    _ = try await GridSearch(space, options).run(on: rows(), keptIn: file, backend: ThreadBackend(workers: 2))
    let opened = try StudyFile(scratch.path, creates: false)
    let leaders = try opened.study().leaderboard(10)
    #expect(leaders.count == 10)
    #expect(Set(leaders.map { "\($0)" }).count == 10)
  }
}
