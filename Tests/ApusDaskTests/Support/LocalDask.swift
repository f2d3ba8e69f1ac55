import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// A real scheduler and real workers of Dask on this machine, ended with the value.
final class LocalDask: Sendable {
  /// The interpreter of the environment that `Scripts/install-dependencies` makes.
  static let python =
    ProcessInfo.processInfo.environment["APUS_PYTHON"]
    ?? repositoryRoot.appendingPathComponent(".build/dask/bin/python").path

  let address: String
  let folder: URL
  private let scheduler: Mutex<Process>
  private let workers = Mutex<[Process]>([])
  private let environment: [String: String]
  private let options: [String]

  /// Starts a scheduler and some workers of one thread each, and waits until they are there.
  init(workers count: Int = 2, options: [String] = [], environment: [String: String] = [:]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-dask-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.environment = environment
    self.options = options
    let port = try Self.freePort()
    address = "\(options.isEmpty ? "tcp" : "tls")://127.0.0.1:\(port)"
    scheduler = Mutex(
      try Self.start(
        ["scheduler", "--host", "127.0.0.1", "--port", "\(port)", "--no-dashboard"] + options, in: folder,
        named: "scheduler", environment))
    for _ in 0..<count { try addWorker() }
  }

  deinit { stop() }

  /// Starts another worker.
  @discardableResult
  func addWorker(_ more: [String] = []) throws -> Process {
    let number = workers.withLock { $0.count }
    let process = try Self.start(
      [
        "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory",
        folder.path,
        "--name", "worker-\(number)",
      ] + options + more, in: folder, named: "worker-\(number)", environment)
    workers.withLock { $0.append(process) }
    return process
  }

  /// Kills a worker as `kill -9` does.
  func killWorker(_ number: Int) { kill(workers.withLock { $0[number].processIdentifier }, SIGKILL) }

  /// Asks a worker to end, as a preempted machine does.
  func drainWorker(_ number: Int) { kill(workers.withLock { $0[number].processIdentifier }, SIGTERM) }

  /// Kills the scheduler and starts it again at the same address.
  func restartScheduler() throws {
    try scheduler.withLock { process in
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let port = address.split(separator: ":").last.map(String.init) ?? ""
      process = try Self.start(
        ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"] + options, in: folder,
        named: "scheduler-again", environment)
    }
  }

  /// Ends everything.
  func stop() {
    for process in workers.withLock({ $0 }) + [scheduler.withLock { $0 }] where process.isRunning {
      kill(process.processIdentifier, SIGKILL)
    }
    try? FileManager.default.removeItem(at: folder)
  }

  /// What a part of the cluster has written.
  func log(_ name: String) -> String {
    (try? String(contentsOf: folder.appendingPathComponent(name + ".log"), encoding: .utf8)) ?? ""
  }

  private static func start(
    _ arguments: [String], in folder: URL, named name: String, _ environment: [String: String]
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-m", "dask"] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let log = folder.appendingPathComponent(name + ".log")
    try Data().write(to: log)
    let handle = try FileHandle(forWritingTo: log)
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return try withUnsafeMutablePointer(to: &address) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        try #require(bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
  }
}

extension DaskBackend {
  /// A client of a local cluster whose jobs are those of the test worker.
  init(
    _ cluster: LocalDask, _ change: (inout ClusterSettings) -> Void = { _ in },
    registry: JobRegistry = TestJobs.registry, onEvent: @escaping @Sendable (ClusterEvent) -> Void = { _ in }
  ) async throws {
    var settings = ClusterSettings()
    settings.python = LocalDask.python
    change(&settings)
    try await self.init(
      cluster.address, registry: registry, settings: settings,
      executable: buildFolder.appendingPathComponent("ApusTestWorker").path, arguments: [], onEvent: onEvent)
  }
}
