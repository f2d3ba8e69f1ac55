import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Who gets how much of a real cluster, and clusters that grow.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskScalingTests {
  @Test func jobsGoWhereTheirResourcesAre() async throws {
    let cluster = try LocalDask(workers: 1)
    try cluster.addWorker(resources: "GPU=1")
    let all = try await DaskBackend(cluster)
    while all.status.workers.count < 2 { try await Task.sleep(for: .milliseconds(50)) }
    await all.close()
    let backend = try await DaskBackend(cluster) { $0.resources = ["GPU": 1] }
    #expect(backend.status.workers.count == 1)
    var workers = Set<String>()
    for await result in backend.run((0..<40).map { _ in RandomSum(microseconds: 20_000) }) {
      workers.insert(try #require(try? result.outcomeWorker))
    }
    #expect(workers.count == 1, "\(workers)")
    await backend.close()
  }

  @Test(arguments: [LocalDask.python, LocalDask.olderPython])
  func aClusterWithoutWhatJobsNeedHasNoWorkerForThem(python: String) async throws {
    let cluster = try LocalDask(workers: 1, python: python)
    try cluster.addWorker(resources: "GPU=1,FRUIT=1")
    let said = Mutex<[String]>([])
    let backend = try await DaskBackend(
      cluster,
      {
        $0.python = python
        $0.resources = ["GPU": 1, "FRUIT": 1.5]
        $0.absenceTimeout = 15
      }
    ) { event in
      if case .trouble(let message) = event { said.withLock { $0.append(message) } }
    }
    var failures: [JobFailure] = []
    for await result in backend.run([Square(number: 3)]) {
      if case .failure(let failure) = result.outcome { failures.append(failure) }
    }
    #expect(
      failures.map(\.message) == ["the cluster had no worker with FRUIT=1.5, GPU=1 for 15.0 s"], "\(failures)"
    )
    #expect(said.withLock { $0 } == ["the cluster has no worker with FRUIT=1.5, GPU=1; waiting for one"])
    #expect(backend.status.slots == 0)
    // One that has them, for two jobs at once.
    try cluster.addWorker(threads: 4, resources: "GPU=2,FRUIT=4")
    for await result in backend.run([Square(number: 4)]) { #expect(try result.outcome.get() == 16) }
    while backend.status.slots == 0 { try await Task.sleep(for: .milliseconds(50)) }
    #expect(backend.status.slots == 2 && backend.capacity.slots == 2)
    await backend.close()
  }

  @Test func jobsThatNeedMemoryTakeTurns() async throws {
    let cluster = try LocalDask(workers: 0)
    // Threads for four jobs at once, memory for two.
    try cluster.addWorker(threads: 4, resources: "MEMORY=1e9")
    let backend = try await DaskBackend(cluster) { $0.resources = ["MEMORY": 0.4e9] }
    let record = Mutex(RunRecord())
    let jobs = (0..<120).map { _ in RandomSum(microseconds: 50_000) }
    let start = ContinuousClock.now
    try await record.expectSameBits(jobs, on: backend, options: RunOptions(seed: Seed(5)))
    // Two at a time they take three seconds at least; four at a time it would be half of it.
    #expect(ContinuousClock.now - start > .seconds(3))
    await backend.close()

    // Without needs, all four threads work.
    let free = try await DaskBackend(cluster)
    let all = Mutex(RunRecord())
    let more = JobsUntil(least: 100) { all.withLock { $0.workers.count } >= 4 }
    try await all.expectSameBits(more, on: free, options: RunOptions(seed: Seed(5), lookAhead: 400))
    // On a busy machine a process may have been replaced.
    #expect(all.withLock { $0.workers.count } >= 4)
    await free.close()
  }

  @Test func aClusterThatScalesByItselfIsFollowed() async throws {
    let cluster = try AdaptiveCluster(most: 3)
    defer { cluster.stop() }
    var settings = ClusterSettings()
    settings.python = LocalDask.python
    settings.connectTimeout = 120
    let backend = try await DaskBackend(
      cluster.address, registry: TestJobs.registry, settings: settings,
      executable: buildFolder.appendingPathComponent("ApusTestWorker").path, arguments: [])
    #expect(backend.status.slots == 0)
    let record = Mutex(RunRecord())
    // Work for as long as it takes until three workers have done some.
    let jobs = JobsUntil(least: 400) { record.withLock { $0.workers.count } >= 3 }
    try await record.expectSameBits(jobs, on: backend, options: RunOptions(seed: Seed(2)))
    #expect(record.withLock { $0.workers.count } >= 3)
    // Nothing is left to do: workers go, to the last.
    while backend.status.slots > 0 { try await Task.sleep(for: .milliseconds(100)) }
    await backend.close()
  }

  @Test func aClientTakesNoMoreSlotsThanItsLimit() async throws {
    let cluster = try LocalDask(workers: 3)
    let backend = try await DaskBackend(cluster) { $0.slotLimit = 1 }
    while backend.status.workers.count < 3 { try await Task.sleep(for: .milliseconds(50)) }
    #expect(backend.capacity.slots == 1)
    let start = ContinuousClock.now
    for await result in backend.run((0..<40).map { _ in RandomSum(microseconds: 50_000) }) {
      _ = try result.outcome.get()
    }
    // One at a time they take two seconds at least; with all three slots it would be less than one.
    #expect(ContinuousClock.now - start > .seconds(2))
    await backend.close()
  }

  @Test func jobsOfHigherPriorityGoFirst() async throws {
    let cluster = try LocalDask(workers: 1)
    let patient = try await DaskBackend(cluster)
    let urgent = try await DaskBackend(cluster) { $0.priority = 10 }
    let finished = Mutex<[String]>([])
    let long = Task {
      for await _ in patient.run((0..<400).map { _ in RandomSum(microseconds: 300_000) }) {
        finished.withLock { $0.append("patient") }
      }
    }
    // As many as there are even if a job takes three times as long on a busy machine.
    while patient.status.batches < 12 { try await Task.sleep(for: .milliseconds(50)) }
    let waiting = patient.status.batches
    // Data does not wait behind jobs, whether it goes in one piece or in several.
    for count in [1000, 2_000_000] {
      let before = finished.withLock { $0.count }
      let reference = try await urgent.put(SharedNumbers(count: count + Int(getpid() % 10_000)))
      #expect(finished.withLock { $0.count } - before < waiting)
      await urgent.remove(reference.digest)
    }
    let before = finished.withLock { $0.count }
    for await result in urgent.run((0..<8).map { _ in RandomSum(microseconds: 100_000) }) {
      _ = try result.outcome.get()
      finished.withLock { $0.append("urgent") }
    }
    let order = finished.withLock { $0[before...] }
    await patient.close()
    await long.value
    // What runs is let finish, and between two batches one may slip in; but most that waited still do.
    #expect(order.count { $0 == "patient" } < waiting, "\(order)")
    await urgent.close()
  }

}

extension JobResult {
  /// The worker that a successful job ran on.
  fileprivate var outcomeWorker: String {
    get throws {
      switch outcome {
      case .success(_, let execution): return execution.worker
      case .failure(let failure): throw failure
      }
    }
  }
}
