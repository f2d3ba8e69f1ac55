import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

/// What jobs do to themselves and to their processes: each is a row, and no job beside it is touched.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskJobFailureTests {
  /// The failures of some deeds among harmless ones, by index.
  private func failures(_ deeds: [Misbehave], on cluster: LocalDask) async throws -> [Int: JobFailure] {
    let backend = try await DaskBackend(cluster)
    var failures = [Int: JobFailure]()
    var successes = Set<Int>()
    for await result in backend.run(deeds + [Misbehave(.nothing), Misbehave(.nothing)]) {
      switch result.outcome {
      case .success: successes.insert(result.index)
      case .failure(let failure): failures[result.index] = failure
      }
    }
    await backend.close()
    #expect(successes.isSuperset(of: [deeds.count, deeds.count + 1]))
    return failures
  }

  @Test func whatAJobThatThrowsHasSaidComesWithItsRow() async throws {
    let deeds = [
      Misbehave(.lament, amount: 5), Misbehave(.print, amount: 1), Misbehave(.throwing, amount: 6),
    ]
    let failures = try await failures(deeds, on: LocalDask(workers: 1))
    #expect(
      failures.mapValues(\.message) == [
        0: "job 5 cannot be done; last output: the sea of job 5 is missing", 2: "job 6 cannot be done",
      ])
    #expect(failures[0]?.reason == .threw)
  }

  @Test func aJobWhoseProcessIsStoppedIsARow() async throws {
    // No job has a time limit.
    let failures = try await failures([Misbehave(.freeze)], on: LocalDask(workers: 1))
    #expect(Array(failures.keys) == [0] && failures[0]?.reason == .trapped)
    #expect(failures[0]?.message.contains("had been stopped by a signal for 2 s") == true, "\(failures)")
    #expect(failures[0]?.worker?.hasPrefix("\(ProcessInfo.processInfo.hostName) pid ") == true)
  }

  @Test func aLargeOutputArrivesAndOneThatIsTooLargeIsARow() async throws {
    let cluster = try LocalDask(workers: 1)
    let backend = try await DaskBackend(cluster)
    var lengths = [Int: Int]()
    for await result in backend.run([40, 200].map { Misbehave(.hugeOutput, amount: $0 << 20) }) {
      switch result.outcome {
      case .success(let output, _): lengths[result.index] = output.utf8.count
      case .failure(let failure):
        #expect(failure.reason == .threw && failure.message.contains("too long for the worker protocol"))
        lengths[result.index] = -1
      }
    }
    #expect(lengths == [0: 40 << 20, 1: -1])
    await backend.close()
  }

  /// The kernel itself kills the process: the Dask worker and what it starts may have 400 MB together.
  @Test(.enabled(if: MemoryGroup.canBeMade)) func aJobThatExceedsTheMemoryOfItsGroupIsARow() async throws {
    let group = try MemoryGroup(bytes: 400 << 20)
    let cluster = try LocalDask(workers: 0)
    defer {
      cluster.stop()
      group.remove()
    }
    let join = ["/bin/sh", "-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", group.path]
    try cluster.addWorker(through: join)
    let failures = try await failures([Misbehave(.devour, amount: 1 << 30)], on: cluster)
    #expect(Array(failures.keys) == [0] && failures[0]?.reason == .outOfMemory, "\(failures)")
    #expect(
      failures[0]?.message.contains("killed by signal 9 (Killed) when the kernel was short of memory")
        == true,
      "\(failures)")
  }
}
