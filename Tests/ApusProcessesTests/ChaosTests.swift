import ApusParallel
import ApusProcesses
import ApusTestJobs
import Foundation
import Synchronization
import Testing

extension ProcessBackendTests {
  /// Kills workers at random moments, with a fixed seed, for as long as a run lasts.
  @Test func theSameBitsComeOutWhileWorkersAreBeingKilled() async throws {
    // Random kills may hit a job more than twice, through no fault of its own.
    let backend = try makeBackend(workers: 3, crashLimit: 50)
    let jobs = (0..<1500).map { RandomSum(microseconds: UInt32(500 + 37 * ($0 % 60))) }
    let options = RunOptions(seed: Seed(77))
    let expected = try await SequentialBackend().outputs(
      of: jobs.map { _ in RandomSum(microseconds: 0) }, options: options)
    let kills = Counter()
    let killer = Task {
      var random = Seed(13).randomSource()
      let signals = [SIGKILL, SIGTERM, SIGSEGV, SIGABRT]
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(5 + random.integer(below: 25)))
        // A busy machine needs longer to start a worker than this test waits between two kills.
        let pids = atWork(workerPIDs())
        guard !pids.isEmpty else { continue }
        if kill(pids[random.integer(below: pids.count)], signals[random.integer(below: 4)]) == 0 {
          kills.add()
        }
      }
    }
    defer { killer.cancel() }
    let first = try await backend.outputs(of: jobs, options: options)
    #expect(first == expected)
    // However fast the machine: until fifty workers were killed.
    repeat {
      #expect(try await backend.outputs(of: jobs, options: options) == expected)
    } while kills.value < 50
    killer.cancel()
    await backend.close()
    #expect(workerPIDs().isEmpty)
  }
}

/// A number that two tasks share.
private final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}
