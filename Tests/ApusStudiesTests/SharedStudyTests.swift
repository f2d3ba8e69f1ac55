import ApusML
import ApusParallel
import ApusStudies
import Foundation
import GRDB
import Synchronization
import Testing

@Suite struct SharedStudyTests {
  private let options = SearchOptions(refits: false)

  @Test func twoSearchesShareTheWork() async throws {
    let scratch = try ScratchStudy()
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(40, tag: tag, milliseconds: 2), options)
    let shares = Mutex<[Int]>([])
    try await withThrowingTaskGroup(of: SearchOutcome.self) { group in
      for _ in 0..<2 {
        group.addTask {
          try await search.run(
            on: rows(), keptIn: StudyFile(scratch.path), backend: ThreadBackend(workers: 2))
        }
      }
      for try await outcome in group {
        #expect(outcome.results.isComplete && outcome.results.candidates.count == 40)
        shares.withLock { $0.append(outcome.results.candidates.count) }
      }
    }
    #expect(CountedEstimator.fits(tag) == 200)
    let reader = try DatabaseQueue(path: scratch.path)
    let sessions = try await reader.read {
      try Int.fetchAll($0, sql: "SELECT count(*) FROM fit GROUP BY session")
    }
    // Both have done something, and together everything.
    #expect(sessions.count == 2 && sessions.reduce(0, +) == 200)
  }

  /// A study in which another process holds every fit.
  private func studyHeldBy(
    _ process: ProcessIdentity, _ scratch: ScratchStudy, _ search: GridSearch
  ) async throws -> (store: SQLiteStudyStore, holder: StudySession.Identity, keys: [FitKey]) {
    // A search that is over at once leaves the study with its candidates behind.
    let cancellation = Cancellation()
    cancellation.cancel()
    _ = try? await search.run(
      on: rows(), keptIn: StudyFile(scratch.path), backend: SequentialBackend(), cancellation: cancellation)
    let store = try SQLiteStudyStore(path: scratch.path, creates: false)
    let session = try store.openSession(of: process, on: 1)
    let holder = StudySession.Identity(study: 1, session: session)
    let keys = (1...3).flatMap { candidate in (0..<5).map { FitKey(candidate: candidate, fold: $0) } }
    var position = 0
    let granted = try store.claim(keys, holding: [], for: holder, since: &position) { _ in }
    #expect(granted == keys)
    return (store, holder, keys)
  }

  @Test func whatADeadProcessHeldIsTakenOver() async throws {
    let scratch = try ScratchStudy()
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(3, tag: tag), options)
    var dead = ProcessIdentity.current
    dead.start += 1
    let (store, holder, keys) = try await studyHeldBy(dead, scratch, search)
    let outcome = try await search.run(
      on: rows(), keptIn: StudyFile(scratch.path), backend: SequentialBackend())
    #expect(outcome.results.isComplete && CountedEstimator.fits(tag) == 15)

    // It was only slow: what it brings is taken where nothing is, and does no harm elsewhere.
    let late = keys.map { FinishedFit(key: $0, fit: TriedFit(scores: FitScores(test: [9], fitSeconds: 1))) }
    try await store.commit(late, from: holder.session)
    let repeated = try await DatabaseQueue(path: scratch.path).read {
      try Int.fetchAll($0, sql: "SELECT repeated FROM session WHERE repeated > 0")
    }
    #expect(repeated == [15])
    #expect(try StudyFile(scratch.path).study().leaderboard(1)[0].scores[0].mean < 9)
  }

  @Test func aSilentProcessOfAnotherHostLosesItsLease() async throws {
    let scratch = try ScratchStudy()
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(3, tag: tag), options)
    let (store, holder, _) = try await studyHeldBy(
      ProcessIdentity(world: "elsewhere", number: 1, start: 1), scratch, search)

    // While it is heard, the work is its own, and its results arrive here without being made again.
    let running = Task {
      try await search.run(on: rows(), keptIn: StudyFile(scratch.path), backend: SequentialBackend())
    }
    try await Task.sleep(for: .milliseconds(200))
    #expect(CountedEstimator.fits(tag) == 0)
    let score = FitScores(test: [0.5], fitSeconds: 1, scoreSeconds: 1)
    try await store.commit(
      [FinishedFit(key: FitKey(candidate: 1, fold: 0), fit: TriedFit(scores: score))], from: holder.session)

    try await DatabaseQueue(path: scratch.path).write {
      try $0.execute(
        sql: "UPDATE session SET heartbeat = heartbeat - 3600 WHERE id = ?", arguments: [holder.session])
    }
    let outcome = try await running.value
    #expect(outcome.results.isComplete && CountedEstimator.fits(tag) == 14)
    #expect(outcome.results.candidates[0].scores[0].test[0] == 0.5)

  }

  /// Whoever waits for another process asks some hundred times before its lease is over.
  @Test func aSearchWaitsUntilALeaseIsOver() async throws {
    let scratch = try ScratchStudy()
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(3, tag: tag), options)
    _ = try await studyHeldBy(ProcessIdentity(world: "elsewhere", number: 1, start: 1), scratch, search)
    let outcome = try await search.run(
      on: rows(), keptIn: StudyFile(scratch.path), backend: SequentialBackend())
    #expect(outcome.results.isComplete && CountedEstimator.fits(tag) == 15)
  }

  @Test func aStudyAtWorkIsNotRemovedAndARemovedFileIsNoticed() async throws {
    let scratch = try ScratchStudy()
    let (store, holder, keys) = try await studyHeldBy(
      .current, scratch, GridSearch(grid(3, tag: CountedEstimator.newTag()), options))
    let file = try StudyFile(scratch.path)
    let study = try file.study()
    let refusal = #expect(throws: ApusError.self) { try file.remove(study) }
    #expect(refusal.map { "\($0)" }?.contains("is at work on study 1") == true)
    let fits = keys.map { FinishedFit(key: $0, fit: TriedFit(scores: FitScores(test: [1], fitSeconds: 1))) }
    try await store.commit([fits[0]], from: holder.session)
    try FileManager.default.removeItem(atPath: scratch.path)
    let lost = await #expect(throws: ApusError.self) { try await store.commit(fits, from: holder.session) }
    #expect(
      lost.map { "\($0)" }?.contains("was removed or replaced while a search was writing to it") == true)
  }

  @Test func aHostThatStoodStillDoesNotTakeWhatOthersHold() async throws {
    let scratch = try ScratchStudy()
    let search = GridSearch(grid(3, tag: CountedEstimator.newTag()), options)
    let (store, holder, keys) = try await studyHeldBy(
      ProcessIdentity(world: "elsewhere", number: 1, start: 1), scratch, search)
    let other = StudySession.Identity(study: 1, session: try store.openSession(of: .current, on: 1))
    func setBack(_ sessions: StudySession.Identity...) async throws {
      try await DatabaseQueue(path: scratch.path).write { database in
        for identity in sessions {
          try database.execute(
            sql: "UPDATE session SET heartbeat = heartbeat - 3600 WHERE id = ?", arguments: [identity.session]
          )
        }
      }
    }
    var position = 0
    func claim() throws -> [FitKey] {
      try store.claim(keys, holding: [], for: other, since: &position) { _ in }
    }
    // Neither was heard for an hour: nobody knows whether the other one is gone, now or a moment later.
    try await setBack(holder, other)
    #expect(try claim() == [])
    #expect(try claim() == [])
    // The other one was heard, and this one was not.
    try await setBack(other)
    #expect(try claim() == [])
    // This one's heart beats before it asks.
    try await setBack(holder, other)
    try store.beat(other.session)
    #expect(try claim() == [])
    // This one was heard, and the other was not.
    try await setBack(holder)
    #expect(try claim() == keys)
  }

  @Test func lateResultsAreAccepted() async throws {
    let scratch = try ScratchStudy()
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(3, tag: tag), options)
    var dead = ProcessIdentity.current
    dead.start += 1
    let (store, holder, keys) = try await studyHeldBy(dead, scratch, search)
    let other = StudySession.Identity(study: 1, session: try store.openSession(of: .current, on: 1))
    var position = 0
    #expect(try store.claim(keys, holding: [], for: other, since: &position) { _ in } == keys)
    let score = FitScores(test: [0.25], fitSeconds: 1, scoreSeconds: 1)
    try await store.commit(
      keys.map { FinishedFit(key: $0, fit: TriedFit(scores: score)) }, from: holder.session)
    try store.closeSession(other.session)
    let outcome = try await search.run(
      on: rows(), keptIn: StudyFile(scratch.path), backend: SequentialBackend())
    #expect(outcome.results.isComplete && CountedEstimator.fits(tag) == 0)
    #expect(outcome.results.candidates[2].scores[0].mean == 0.25)
  }
}
