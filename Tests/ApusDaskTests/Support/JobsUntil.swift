import ApusParallel
import ApusTestJobs
import Synchronization
import Testing

/// Jobs of 20 ms: some, and then as many as are drawn until there is enough. So a test that waits for something to
/// happen goes on for as long as it takes, however busy the machine.
struct JobsUntil: Sequence, Sendable {
  let least: Int
  let isEnough: @Sendable () -> Bool

  init(least: Int, _ isEnough: @escaping @Sendable () -> Bool) {
    self.least = least
    self.isEnough = isEnough
  }

  func makeIterator() -> AnyIterator<RandomSum> {
    var drawn = 0
    return AnyIterator {
      drawn += 1
      return drawn > 100_000 || (drawn > least && isEnough()) ? nil : RandomSum(microseconds: 20_000)
    }
  }
}

/// What came back of a run, and who did it.
struct RunRecord: Sendable {
  var outputs = [Int: Double]()
  var workers = Set<String>()
  /// The worker of the latest result.
  var latest = ""
}

extension Mutex where Value == RunRecord {
  /// Runs jobs to their end, each of which must succeed once, and expects the bits that they give here.
  func expectSameBits(
    _ jobs: some Sequence<RandomSum> & Sendable, on backend: some ParallelBackend, options: RunOptions
  ) async throws {
    for await result in backend.run(jobs, options: options) {
      guard case .success(let output, let execution) = result.outcome else {
        Issue.record("\(result)")
        continue
      }
      withLock { record in
        #expect(record.outputs.updateValue(output, forKey: result.index) == nil)
        record.workers.insert(execution.worker)
        record.latest = execution.worker
      }
    }
    let found = withLock { $0.outputs }
    var expected = [Int: Double]()
    let quick = found.keys.map { _ in RandomSum(microseconds: 0) }
    let here = try ThreadBackend(workers: 2)
    for await result in here.run(quick, options: RunOptions(seed: options.seed)) {
      expected[result.index] = try result.outcome.get()
    }
    #expect(found == expected)
  }
}
