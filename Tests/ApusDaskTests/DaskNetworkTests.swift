import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

/// Workers in a network namespace of their own, so that the link to them can be slowed down for real.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DaskNetworkTests {
  /// Connections that do not answer are given up soon.
  private static let impatience = [
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "5s", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "10s",
  ]

  private func expectSameBits(
    _ backend: DaskBackend, jobs count: Int, after first: Int, _ event: () throws -> Void
  ) async throws -> Set<String> {
    let jobs = (0..<count).map { _ in RandomSum(microseconds: 20_000) }
    var expected = [Int: Double]()
    let quick = jobs.map { _ in RandomSum(microseconds: 0) }
    for await result in SequentialBackend().run(quick) { expected[result.index] = try result.outcome.get() }
    var outputs = [Int: Double]()
    var workers = Set<String>()
    for await result in backend.run(jobs) {
      guard case .success(let output, let execution) = result.outcome else {
        Issue.record("\(result)")
        continue
      }
      #expect(outputs.updateValue(output, forKey: result.index) == nil)
      workers.insert(execution.worker)
      if outputs.count == first { try event() }
    }
    #expect(outputs == expected)
    return workers
  }

  @Test(
    .enabled(if: NetworkNamespace.isAvailable, "network namespaces need root and the command ip"),
    .enabled(if: NetworkNamespace.canSlowDown, "this kernel has no queueing discipline that limits a rate"))
  func theLinkToAWorkerIsSlow() async throws {
    let network = try NetworkNamespace()
    try network.slowDown()
    let cluster = try LocalDask(workers: 0, host: network.address)
    try cluster.addWorker(through: network.command)
    let backend = try await DaskBackend(cluster)
    let reference = try await backend.put(SharedNumbers(count: 200_000))
    for await result in backend.run([SumShared(numbers: reference)]) {
      #expect(try result.outcome.get().sum == 199_999 * 100_000)
    }
    _ = try await expectSameBits(backend, jobs: 200, after: 1) {}
    await backend.close()
  }
}

/// A network namespace with a link to this one; gone with the value.
private final class NetworkNamespace: Sendable {
  private let name: String
  private let link: String
  let address = "10.213.77.1"
  let innerAddress = "10.213.77.2"

  /// Runs a command inside.
  var command: [String] { ["/usr/bin/env", "ip", "netns", "exec", name] }

  static let isAvailable: Bool = getuid() == 0 && (try? NetworkNamespace()) != nil
  static let canSlowDown: Bool = (try? NetworkNamespace().slowDown()) != nil

  init() throws {
    let number = getpid() % 100_000
    name = "apus-\(number)"
    link = "apus\(number)"
    do {
      try Self.run("ip", "netns", "add", name)
      try Self.run("ip", "link", "add", link, "type", "veth", "peer", "name", "inside", "netns", name)
      try Self.run("ip", "address", "add", "\(address)/24", "dev", link)
      try Self.run("ip", "link", "set", link, "up")
      for arguments in [
        ["address", "add", "\(innerAddress)/24", "dev", "inside"], ["link", "set", "inside", "up"],
        ["link", "set", "lo", "up"],
      ] { try Self.run("ip", ["-n", name] + arguments) }
    } catch {
      remove()
      throw error
    }
  }

  deinit { remove() }

  /// Nothing passes any more, and nobody is told.
  func cut() throws { try Self.run("ip", "-n", name, "link", "set", "inside", "down") }

  /// 20 Mbit/s, with 40 ms there and back where the kernel can delay.
  func slowDown() throws {
    do {
      try Self.run(
        "tc", "qdisc", "add", "dev", link, "root", "netem", "delay", "40ms", "rate", "20mbit")
    } catch {
      try Self.run(
        "tc", "qdisc", "add", "dev", link, "root", "tbf", "rate", "20mbit", "burst", "32kbit", "latency",
        "400ms")
    }
  }

  private func remove() {
    _ = try? Self.run("ip", "link", "del", link)
    _ = try? Self.run("ip", "netns", "del", name)
  }

  private static func run(_ words: String...) throws { try run(words[0], Array(words.dropFirst())) }

  private static func run(_ program: String, _ arguments: [String]) throws {
    let result = try runProgram(program, arguments)
    guard result.exitCode == 0 else { throw ApusError(.job, "\(program) failed: \(result.errors)") }
  }
}
