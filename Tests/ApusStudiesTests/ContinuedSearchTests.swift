import ApusData
import ApusML
import ApusParallel
import ApusSearch
import ApusStudies
import GRDB
import Synchronization
import Testing

@Suite struct ContinuedSearchTests {
  private let folds = SearchOptions(refits: false)

  /// The scores without the times, which differ between runs.
  private func scores(_ results: SearchResults) -> [[MetricResult]] { results.candidates.map(\.scores) }

  @Test func nothingFinishedIsFittedTwice() async throws {
    let scratch = try ScratchStudy()
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(30, tag: tag), folds)
    let undisturbed = try await search.run(on: rows(), backend: SequentialBackend())
    let before = CountedEstimator.fits(tag)
    #expect(before == 150)

    let restored = Mutex(0)
    let shown = Mutex(0)
    for stop in [20, 47, 90, 1_000] {
      let cancellation = Cancellation()
      let file = try StudyFile(scratch.path)
      let finished = shown.withLock { $0 }
      let outcome = try await search.run(
        on: rows(), keptIn: file, backend: ThreadBackend(workers: 2), cancellation: cancellation
      ) { event in
        if case .restored(let fits, _) = event { restored.withLock { $0 = fits } }
        guard case .fitFinished = event else { return }
        let count = shown.withLock { shown in
          shown += 1
          return shown
        }
        if count == finished + stop { cancellation.cancel() }
      }
      #expect(restored.withLock { $0 } == finished)
      if outcome.results.isComplete { #expect(scores(outcome.results) == scores(undisturbed.results)) }
    }
    // One more run has nothing left to do.
    let last = try await search.run(on: rows(), keptIn: StudyFile(scratch.path), backend: SequentialBackend())
    {
      if case .restored(let fits, _) = $0 { restored.withLock { $0 = fits } }
    }
    #expect(scores(last.results) == scores(undisturbed.results))
    #expect(restored.withLock { $0 } == 150)
    #expect(shown.withLock { $0 } == 150)
    // A fit that was running when its search was cancelled has not been finished: one a worker.
    #expect((150...156).contains(CountedEstimator.fits(tag) - before))
  }

  @Test func aFitIsShownOnlyAfterItsCommit() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let search = GridSearch(grid(40, tag: CountedEstimator.newTag()), folds)
    let reader = try DatabaseQueue(path: scratch.path)
    let shown = Mutex(0)
    let missing = Mutex(0)
    _ = try await search.run(on: rows(), keptIn: file, backend: ThreadBackend(workers: 2)) { event in
      guard case .fitFinished(let candidate, let fold, _, _) = event else { return }
      let found = try? reader.read { database in
        // Candidates are numbered from 1 in the order of the grid.
        try Int.fetchOne(
          database, sql: "SELECT count(*) FROM fit WHERE candidate = ? AND fold = ?",
          arguments: [candidate + 1, fold])
      }
      shown.withLock { $0 += 1 }
      if found != 1 { missing.withLock { $0 += 1 } }
    }
    #expect(shown.withLock { $0 } == 200)
    #expect(missing.withLock { $0 } == 0)
  }

  @Test func aWiderSpaceKeepsWhatIsDone() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let tag = CountedEstimator.newTag()
    _ = try await GridSearch(grid(6, tag: tag), folds).run(
      on: rows(), keptIn: file, backend: SequentialBackend())
    let wider = try await GridSearch(grid(10, tag: tag), folds).run(
      on: rows(), keptIn: file, backend: SequentialBackend())
    #expect(CountedEstimator.fits(tag) == 50)
    #expect(wider.results.candidates.count == 10 && wider.results.isComplete)
    // Another dimension whose first value is what it was before.
    let another = grid(10, tag: tag).varying(\.failsBelow, [nil, -1])
    _ = try await GridSearch(another, folds).run(on: rows(), keptIn: file, backend: SequentialBackend())
    #expect(CountedEstimator.fits(tag) == 100)
    #expect(try file.study().progress().finishedCandidates == 20)
  }

  @Test func equalCandidatesAreFittedOnce() async throws {
    let scratch = try ScratchStudy()
    let tag = CountedEstimator.newTag()
    let twice = SearchSpace(grid(4, tag: tag)) + SearchSpace(grid(6, tag: tag))
    let outcome = try await GridSearch(twice, folds).run(
      on: rows(), keptIn: StudyFile(scratch.path), backend: ThreadBackend(workers: 2))
    #expect(outcome.results.candidates.count == 10 && outcome.results.isComplete)
    #expect(CountedEstimator.fits(tag) == 30)
  }

  @Test func anotherSearchIsRefusedWithTheDifference() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(3, tag: tag), folds)
    _ = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())

    func refusal(_ data: Dataset, _ change: (inout SearchOptions) -> Void) async -> String {
      var changed = search
      change(&changed.options)
      do {
        _ = try await changed.run(on: data, keptIn: file, backend: SequentialBackend())
        return "nothing was refused"
      } catch { return "\(error)" }
    }
    #expect(
      await refusal(try rows(21)) { _ in }.contains("the data was 20 rows × 2 features, and is 21 rows"))
    #expect(
      await refusal(try rows(seed: 2)) { _ in }.contains(
        "same shape, 20 rows × 2 features, but other contents"))
    #expect(await refusal(try rows()) { $0.seed = Seed(7) }.contains("the seed was 0, and is 7"))
    #expect(
      await refusal(try rows()) { $0.splitter = KFold(folds: 4) }.contains(
        "KFold(folds: 5, shuffle: false), and are KFold(folds: 4"))
    #expect(
      await refusal(try rows()) { $0.metrics = [.r2, .peculiar] }.contains(
        "the metrics were r2, and are r2, peculiar"))
    #expect(
      await refusal(try rows()) { $0.includesTrainScores = true }.contains("training rows were not scored"))
    #expect(CountedEstimator.fits(tag) == 15)
    #expect(try file.studies().count == 1)

    var other = search
    other.options.seed = Seed(7)
    _ = try await other.run(on: rows(), keptIn: file, startingAnew: true, backend: SequentialBackend())
    #expect(try file.studies().map(\.description.seed.value) == [0, 7])
    // Both can be continued now.
    _ = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    _ = try await other.run(on: rows(), keptIn: file, backend: SequentialBackend())
    #expect(CountedEstimator.fits(tag) == 30)
  }

  @Test func scoresComeBackToTheBit() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    var options = folds
    options.metrics = [.r2, .peculiar]
    options.includesTrainScores = true
    let search = GridSearch(grid(6, tag: CountedEstimator.newTag()), options)
    let first = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    let again = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    func bits(_ results: SearchResults) -> [[UInt64]] {
      results.candidates.map { candidate in
        candidate.scores.flatMap { $0.test + $0.train! }.map(\.bitPattern)
          + candidate.fitSeconds.map(\.bitPattern)
      }
    }
    #expect(bits(first.results) == bits(again.results))
    #expect(again.results.candidates[3].scores[1].test[0].bitPattern == (-0.0).bitPattern)
    #expect(again.results.candidates[0].scores[1].test.allSatisfy { $0.isNaN })
    var stored: [CandidateResult] = []
    try file.study().forEachCandidate { stored.append($0) }
    #expect(
      stored.map { $0.scores[1].test.map(\.bitPattern) }
        == first.results.candidates.map { $0.scores[1].test.map(\.bitPattern) })
  }

  @Test func failuresStayUntilTheyAreForgotten() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(5, tag: tag, failsBelow: 2), folds)
    let first = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    let again = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    #expect(CountedEstimator.fits(tag) == 25)
    #expect(first.results.failures == again.results.failures && again.results.failures.count == 10)
    let study = try file.study()
    #expect(try study.failures(limit: 1)[0].message.contains("0.0 is below 2.0"))
    let progress = try study.progress()
    #expect(progress.candidates == 5 && progress.finishedCandidates == 5)
    #expect(progress.fits == 25 && progress.failures == 10)
    #expect(try study.forgetFailures() == 10)
    _ = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    #expect(CountedEstimator.fits(tag) == 35)
  }

  @Test func failuresOfNestedSearchesAreForgottenWithTheirWhole() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(5, tag: tag, failsBelow: 2), folds).kept(in: file)
    func fitsOfNested() async throws -> Int {
      let before = CountedEstimator.fits(tag)
      let results = try await nestedCrossValidate(
        search, on: rows(), outer: KFold(folds: 2), backend: SequentialBackend())
      #expect(results.folds.count == 2)
      return CountedEstimator.fits(tag) - before
    }
    // Two outer splits of five folds and five candidates, and a fit of each choice.
    #expect(try await fitsOfNested() == 52)
    #expect(try await fitsOfNested() == 0)
    // Two candidates fail on each fold.
    #expect(try file.study().forgetFailures() == 20)
    #expect(try await fitsOfNested() == 20)
  }

  @Test func aLostFitIsMadeAgain() async throws {
    let scratch = try ScratchStudy()
    let file = try StudyFile(scratch.path)
    let tag = CountedEstimator.newTag()
    let search = GridSearch(grid(4, tag: tag), folds)
    let first = try await search.run(on: rows(), keptIn: file, backend: LosingBackend(lost: 7))
    #expect(first.results.failures.map(\.reason) == [.lost])
    #expect(try file.study().progress().fits == 19)
    let again = try await search.run(on: rows(), keptIn: file, backend: SequentialBackend())
    #expect(again.results.isComplete && again.results.failures.isEmpty)
    #expect(CountedEstimator.fits(tag) == 21)
  }
}

/// A backend whose worker goes away under one job.
private struct LosingBackend: ParallelBackend {
  let lost: Int
  private let base = SequentialBackend()
  var name: String { "losing" }
  var capacity: Capacity { base.capacity }

  init(lost: Int) { self.lost = lost }

  func put<Value: SharedData>(_ data: Value) async -> DataReference<Value> { await base.put(data) }
  func remove(_ digest: Digest) async { await base.remove(digest) }

  func run<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, options: RunOptions
  ) -> JobResults<Jobs.Element.Output> where Jobs.Element: Job {
    JobResults {
      let results = Results(base.run(jobs, options: options).makeAsyncIterator())
      return JobResults.Iterator(
        next: {
          guard let result = await results.next() else { return nil }
          guard result.index == lost else { return result }
          let failure = JobFailure(reason: .lost, message: "the host is gone", job: "fit")
          return JobResult(index: result.index, outcome: .failure(failure))
        }, cancel: {})
    }
  }

  // Unchecked: results are read by one task at a time.
  private final class Results<Output: Sendable>: @unchecked Sendable {
    private var iterator: JobResults<Output>.Iterator
    init(_ iterator: JobResults<Output>.Iterator) { self.iterator = iterator }
    func next() async -> JobResult<Output>? { await iterator.next() }
  }
}
