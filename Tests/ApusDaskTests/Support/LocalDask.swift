import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// A real scheduler and real workers of Dask on this machine, ended with the value.
final class LocalDask: Sendable {
  /// The interpreter of the environment that `Scripts/install-dask` makes.
  static let python =
    ProcessInfo.processInfo.environment["APUS_PYTHON"]
    ?? repositoryRoot.appendingPathComponent(".build/dask/bin/python").path

  /// That of an older Dask.
  static let olderPython = repositoryRoot.appendingPathComponent(".build/dask-older/bin/python").path

  /// The program whose jobs the clients of tests send.
  static let program = buildFolder.appendingPathComponent("ApusTestWorker").path

  let address: String
  let folder: URL
  private let scheduler: Mutex<Process>
  private let workers = Mutex<[Process]>([])
  private let python: String
  private let certificates: ClusterCertificates?
  private let environment: [String: String]
  private let command: [String]

  /// Starts a scheduler and some workers of one thread each, through another command if need be.
  init(
    workers count: Int = 2, python: String = LocalDask.python, certificates: ClusterCertificates? = nil,
    host: String = "127.0.0.1", through command: [String] = [], environment: [String: String] = [:]
  ) throws {
    self.environment = environment
    self.command = command
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-dask-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.python = python
    self.certificates = certificates
    address = "\(certificates == nil ? "tcp" : "tls")://\(host):\(try Self.freePort())"
    scheduler = Mutex(
      try Self.start(
        python, Self.schedulerArguments(address) + Self.security(certificates, "scheduler"),
        through: command, environment: environment, log: folder.appendingPathComponent("scheduler.log")))
    for _ in 0..<count { try addWorker() }
  }

  deinit { stop() }

  /// Starts another worker, with further arguments and through another command if need be.
  func addWorker(
    threads: Int = 1, resources: String? = nil, through command: [String]? = nil, _ more: [String] = []
  ) throws {
    let number = workers.withLock { $0.count }
    let process = try Self.start(
      python,
      [
        "worker", address, "--nthreads", "\(threads)", "--no-dashboard", "--no-nanny", "--local-directory",
        folder.path,
        "--name", "worker-\(number)",
      ] + more + (resources.map { ["--resources", $0] } ?? []) + Self.security(certificates, "worker"),
      through: command ?? self.command, environment: environment,
      log: folder.appendingPathComponent("worker-\(number).log"))
    workers.withLock { $0.append(process) }
  }

  /// Kills a worker as `kill -9` does.
  func killWorker(_ number: Int) { kill(workers.withLock { $0[number].processIdentifier }, SIGKILL) }

  /// Whether a worker's process has not ended.
  func isRunning(_ number: Int) -> Bool { workers.withLock { $0[number].isRunning } }

  /// Asks a worker to end, as a preempted machine does.
  func drainWorker(_ number: Int) { kill(workers.withLock { $0[number].processIdentifier }, SIGTERM) }

  /// Kills the scheduler; nobody answers at the address until it is started again.
  func killScheduler() { scheduler.withLock { _ = kill($0.processIdentifier, SIGKILL) } }

  /// Lets the scheduler stand still: the system takes connections for it, and nobody answers.
  func stopScheduler() { scheduler.withLock { _ = kill($0.processIdentifier, SIGSTOP) } }

  /// Lets the scheduler go on.
  func continueScheduler() { scheduler.withLock { _ = kill($0.processIdentifier, SIGCONT) } }

  /// Kills the scheduler and starts it again at the same address.
  func restartScheduler() throws {
    try scheduler.withLock { process in
      kill(process.processIdentifier, SIGKILL)
      process = try Self.start(
        python, Self.schedulerArguments(address) + Self.security(certificates, "scheduler"),
        through: command, environment: environment, log: folder.appendingPathComponent("scheduler-again.log"))
    }
  }

  /// Ends everything.
  func stop() {
    for process in workers.withLock({ $0 }) + [scheduler.withLock { $0 }] where process.isRunning {
      kill(process.processIdentifier, SIGKILL)
    }
    try? FileManager.default.removeItem(at: folder)
  }

  private static func schedulerArguments(_ address: String) -> [String] {
    let parts = address.split(separator: ":").map { $0.drop { $0 == "/" } }
    return [
      "scheduler", "--protocol", String(address.prefix(3)), "--host", String(parts[1]), "--port",
      String(parts[2]),
      "--no-dashboard",
    ]
  }

  private static func security(_ certificates: ClusterCertificates?, _ role: String) -> [String] {
    guard let folder = certificates?.folder else { return [] }
    return [
      "--tls-ca-file", "\(folder)/authority.pem", "--tls-cert", "\(folder)/\(role).pem", "--tls-key",
      "\(folder)/\(role).key",
    ]
  }

  private static func start(
    _ python: String, _ arguments: [String], through command: [String] = [],
    environment: [String: String], log: URL
  ) throws -> Process {
    let process = Process()
    // Threads of Swift may block signals, and what they start would then not hear that it should end.
    let dask = """
      import runpy, signal, sys
      signal.pthread_sigmask(signal.SIG_SETMASK, ())
      sys.argv[0] = "dask"
      runpy.run_module("dask", run_name="__main__")
      """
    let words = command + [python, "-c", dask] + arguments
    process.executableURL = URL(fileURLWithPath: words[0])
    process.arguments = Array(words.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    try Data().write(to: log)
    let handle = try FileHandle(forWritingTo: log)
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// An interpreter in a folder whose environment has further variables: that of a client of its own, beside others.
  static func python(with variables: [String: String], in folder: URL) throws -> String {
    let file = folder.appendingPathComponent("python-\(UUID().uuidString)")
    let words = variables.map { "'\($0)=\($1)'" }.joined(separator: " ")
    try "#!/bin/sh\nexec env \(words) '\(python)' \"$@\"\n".write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file.path)
    return file.path
  }

  private static let portsGiven = Atomic<Int>(0)

  /// A port that nobody uses, and that nobody is given by the system until whoever it is meant for uses it: one below
  /// those that are given to connections, and another each time.
  static func freePort() throws -> UInt16 {
    for _ in 0..<1000 {
      let number = Int(getpid()) * 211 + portsGiven.wrappingAdd(1, ordering: .relaxed).newValue
      let port = UInt16(12_000 + number % 20_000)
      if isFree(port) { return port }
    }
    throw ApusError(.job, "no port is free")
  }

  private static func isFree(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}

extension DaskBackend {
  /// A client of a local cluster whose jobs are those of the test worker.
  init(
    _ cluster: LocalDask, _ change: (inout ClusterSettings) -> Void = { _ in },
    registry: JobRegistry = TestJobs.registry, executable: String = LocalDask.program,
    onEvent: @escaping @Sendable (ClusterEvent) -> Void = { _ in }
  ) async throws {
    var settings = ClusterSettings()
    settings.python = LocalDask.python
    // The scheduler may only be starting, on a busy machine.
    settings.connectTimeout = 120
    change(&settings)
    try await self.init(
      cluster.address, registry: registry, settings: settings, executable: executable, arguments: [],
      onEvent: onEvent)
  }
}
