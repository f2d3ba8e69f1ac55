import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Clusters that are reached over a network of their own, which is cut and slowed down for real.
///
/// Nothing here depends on how long anything takes: each test waits for what it is about, and goes on.
@Suite(
  .serialized, .timeLimit(.minutes(10)),
  .enabled(if: TestNetwork.isAvailable, "network namespaces need root and the command ip"))
struct DaskNetworkTests {
  /// Seconds after which Dask gives up a connection over which nothing comes: the least it knows, and far longer than
  /// a cut of these tests.
  private static let (soon, late) = ("12s", "600s")
  private static let options = RunOptions(seed: Seed(11), lookAhead: 400)
  /// A size of data that no other test has: two of the parts in which it travels, as long as the host has no such file.
  private let own = 5_000_000 + Int(getpid())

  private static func timeouts(_ seconds: String) -> [String: String] {
    ["DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": seconds, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "20s"]
  }

  /// A cluster on the far side is cut off after some results, mended when the client has said something, and then
  /// goes on for some more results.
  private func cutTheClient(until words: String, timeout: String) async throws -> ClusterStatus {
    let network = try TestNetwork()
    let cluster = try LocalDask(
      host: network.farAddress, through: network.command, environment: Self.timeouts(timeout))
    let said = Mutex<[String]>([])
    let python = try LocalDask.python(with: Self.timeouts(timeout), in: cluster.folder)
    let backend = try await DaskBackend(cluster, { $0.python = python }) { event in
      if case .trouble(let message) = event { said.withLock { $0.append(message) } }
    }
    let record = Mutex(RunRecord())
    let atMending = Atomic<Int>(.max)
    let cutting = Task {
      while record.withLock({ $0.outputs.count < 50 }) { try await Task.sleep(for: .milliseconds(20)) }
      try network.cut()
      while !said.withLock({ $0.contains { $0.contains(words) } }) {
        try await Task.sleep(for: .milliseconds(50))
      }
      try network.mend()
      atMending.store(record.withLock { $0.outputs.count }, ordering: .relaxed)
    }
    let jobs = JobsUntil(least: 100) {
      record.withLock { $0.outputs.count } > atMending.load(ordering: .relaxed).addingReportingOverflow(50).0
        && atMending.load(ordering: .relaxed) < .max
    }
    try await record.expectSameBits(jobs, on: backend, options: Self.options)
    try await cutting.value
    let status = backend.status
    await backend.close()
    return status
  }

  @Test func theSchedulerIsOutOfReachForAWhile() async throws {
    let status = try await cutTheClient(until: "the scheduler does not answer; waiting", timeout: Self.late)
    // What was under way arrived: nothing was given up, nothing sent again.
    #expect(status.retries == 0)
  }

  @Test func theConnectionToTheSchedulerIsLost() async throws {
    let status = try await cutTheClient(until: "the connection to the scheduler is lost", timeout: Self.soon)
    #expect(status.retries > 0)
  }

  @Test func aWorkerIsOutOfReachForAWhile() async throws {
    let network = try TestNetwork()
    let cluster = try LocalDask(workers: 1, host: network.address, environment: Self.timeouts(Self.late))
    try cluster.addWorker(through: network.command)
    let python = try LocalDask.python(with: Self.timeouts(Self.late), in: cluster.folder)
    let backend = try await DaskBackend(cluster, { $0.python = python })
    let record = Mutex(RunRecord())
    let wasMended = Atomic<Bool>(false)
    let cutting = Task {
      while record.withLock({ $0.workers.count < 2 }) { try await Task.sleep(for: .milliseconds(20)) }
      try network.cut()
      try await Task.sleep(for: .seconds(3))
      try network.mend()
      record.withLock { $0.workers = [] }
      wasMended.store(true, ordering: .relaxed)
    }
    let jobs = JobsUntil(least: 100) {
      wasMended.load(ordering: .relaxed) && record.withLock { $0.workers.count } == 2
    }
    try await record.expectSameBits(jobs, on: backend, options: Self.options)
    try await cutting.value
    #expect(backend.status.workers.keys.contains { $0.contains(network.farAddress) })
    await backend.close()
  }

  @Test func aWorkerIsCutOffAndAnotherComesWhenTheNetworkIsMended() async throws {
    let network = try TestNetwork()
    let cluster = try LocalDask(workers: 1, host: network.address, environment: Self.timeouts(Self.soon))
    try cluster.addWorker(through: network.command)
    let backend = try await DaskBackend(cluster)
    let record = Mutex(RunRecord())
    let wasMended = Atomic<Bool>(false)
    let cutting = Task {
      while record.withLock({ $0.workers.count < 2 }) { try await Task.sleep(for: .milliseconds(20)) }
      try network.cut()
      while backend.status.workers.keys.contains(where: { $0.contains(network.farAddress) }) {
        try await Task.sleep(for: .milliseconds(50))
      }
      try network.mend()
      // A worker of Dask ends when it has lost its scheduler; whoever runs it starts another.
      try cluster.addWorker(through: network.command)
      record.withLock { $0.workers = [] }
      wasMended.store(true, ordering: .relaxed)
    }
    let jobs = JobsUntil(least: 100) {
      wasMended.load(ordering: .relaxed) && record.withLock { $0.workers.count } == 2
    }
    try await record.expectSameBits(jobs, on: backend, options: Self.options)
    try await cutting.value
    await backend.close()
  }

  /// A client outside of a cluster's own network: the scheduler carries what would else go to the workers directly.
  @Test func workersThatOnlyTheSchedulerReachesGetTheirFiles() async throws {
    let network = try TestNetwork()
    let cluster = try LocalDask(workers: 0, host: network.farAddress, through: network.command)
    let port = "\(try LocalDask.freePort())"
    try cluster.addWorker(["--host", network.hiddenAddress, "--worker-port", port])
    let backend = try await DaskBackend(cluster)
    while backend.status.workers.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
    #expect(Array(backend.status.workers.keys) == ["tcp://\(network.hiddenAddress):\(port)"])
    let visit = [
      "-c", "import socket, sys; socket.create_connection(sys.argv[1:])", network.hiddenAddress, port,
    ]
    #expect(try runProgram(LocalDask.python, visit).errors.contains("No route to host"))
    let reference = try await backend.put(SharedNumbers(count: own))
    for await result in backend.run([SumShared(numbers: reference)]) {
      #expect(try result.outcome.get().sum == Double(own - 1) * Double(own) / 2)
    }
    let jobs = (0..<200).map { _ in RandomSum(microseconds: 1000) }
    try await Mutex(RunRecord()).expectSameBits(jobs, on: backend, options: Self.options)
    await backend.close()
  }

  @Test(.enabled(if: TestNetwork.canSlowDown, "this kernel has no queueing discipline that limits a rate"))
  func theLinkToAWorkerIsSlow() async throws {
    let network = try TestNetwork()
    try network.slowDown()
    let cluster = try LocalDask(workers: 0, host: network.address)
    try cluster.addWorker(through: network.command)
    let backend = try await DaskBackend(cluster)
    let reference = try await backend.put(SharedNumbers(count: 200_000))
    for await result in backend.run([SumShared(numbers: reference)]) {
      #expect(try result.outcome.get().sum == 199_999 * 100_000)
    }
    let jobs = (0..<200).map { _ in RandomSum(microseconds: 20_000) }
    try await Mutex(RunRecord()).expectSameBits(jobs, on: backend, options: Self.options)
    await backend.close()
  }
}
