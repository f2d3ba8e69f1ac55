import ApusML
import ApusParallel
import ApusSearch
import Synchronization
import Testing

/// Workers that join while a search runs.
@Suite struct GrowingBackendTests {
  @Test(arguments: [
    SearchMethod.asynchronousHalving(HalvingSettings(smallest: 12)), .random(draws: 80),

  ]) func slotsThatAreAddedAreUsed(method: SearchMethod) async throws {
    let backend = try GrowingBackend(slots: 16, growsAfter: 60)
    let search = AdaptiveSearch(factors(80, milliseconds: 0.5), method, options)
    let outcome = try await search.run(on: rows(), backend: backend)
    #expect(outcome.results.isComplete)
    let most = backend.state.withLock { $0.most }
    // What asynchronous halving decides depends on the order, so it begins no more than slots have room for: with one
    // slot, the five folds of a candidate.
    if case .asynchronousHalving = method { #expect(most.before == 5, "\(most)") }
    #expect(most.after >= 16, "\(most)")
  }
}

/// One slot until so many jobs have ended, then more; notes how many jobs it was given at a time.
private final class GrowingBackend: ParallelBackend {
  struct State {
    var done = 0
    var underway = 0
    /// Before the slots were added and after.
    var most = (before: 0, after: 0)
  }

  let state = Mutex(State())
  private let slots: Int
  private let growsAfter: Int
  private let base: ThreadBackend

  init(slots: Int, growsAfter: Int) throws {
    (self.slots, self.growsAfter) = (slots, growsAfter)
    base = try ThreadBackend(workers: slots)
  }

  var name: String { "growing" }
  var capacity: Capacity { Capacity(slots: state.withLock { $0.done } < growsAfter ? 1 : slots) }

  func put<Value: SharedData>(_ data: Value) async -> DataReference<Value> { await base.put(data) }
  func remove(_ digest: Digest) async { await base.remove(digest) }

  private func note(started: Int, ended: Int) {
    state.withLock { state in
      state.underway += started - ended
      state.done += ended
      if state.done < growsAfter {
        state.most.before = max(state.most.before, state.underway)
      } else if started > 0 {
        state.most.after = max(state.most.after, state.underway)
      }
    }
  }

  func run<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, options: RunOptions
  ) -> JobResults<Jobs.Element.Output> where Jobs.Element: Job {
    let jobs = Array(jobs)
    note(started: jobs.count, ended: 0)
    return JobResults {
      let results = Results(self.base.run(jobs, options: options).makeAsyncIterator())
      return JobResults.Iterator(
        next: {
          guard let result = await results.next() else { return nil }
          self.note(started: 0, ended: 1)
          return result
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
