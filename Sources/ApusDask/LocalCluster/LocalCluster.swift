import ApusParallel
import Foundation

/// A scheduler and workers of Dask on this machine, for trying out: started once, used by many programs, ended by
/// hand.
///
/// It listens on the loopback address only, since a scheduler without TLS runs whatever anybody sends it.
public struct LocalCluster: Codable, Sendable {
  /// The scheduler's address; empty while the cluster is being started.
  public private(set) var address = ""
  /// The scheduler's process.
  public private(set) var scheduler: Int32 = 0
  /// The workers' processes.
  public private(set) var workers: [Int32] = []
  /// When the scheduler and then the workers were started, in the kernel's words, and since which start of the system:
  /// without it, a number of a process could be another's by now.
  private var starts: [UInt64] = []
  private var boot = ProcessStart.boot

  private init() {}

  /// Where the cluster of this user is written down: `$XDG_STATE_HOME/apus/cluster`, or below `~/.local/state`.
  public static var folder: URL { ClusterFolder.url }

  /// The cluster that is up.
  ///
  /// - Throws: ``ApusError`` of kind `file` when there is none.
  public static func running() throws -> LocalCluster {
    let cluster = try last()
    guard !cluster.address.isEmpty, cluster.living.contains(cluster.scheduler) else { throw noCluster }
    return cluster
  }

  /// The cluster that was started last, of which a process lives, be it without its scheduler or not started to the end.
  ///
  /// - Throws: ``ApusError`` of kind `file` when there is none.
  public static func last() throws -> LocalCluster {
    guard let data = try? Data(contentsOf: ClusterFolder.record),
      let cluster = try? JSONDecoder().decode(LocalCluster.self, from: data), !cluster.living.isEmpty
    else { throw noCluster }
    return cluster
  }

  private static var noCluster: ApusError {
    ApusError(
      .file, "no local cluster is up",
      hint: "start one with 'apus cluster up', or give --scheduler an address")
  }

  /// Those of its processes that have not ended, without others that have their numbers.
  private var living: [Int32] {
    guard boot == ProcessStart.boot else { return [] }
    return zip([scheduler] + workers, starts).filter { ProcessStart.time(of: $0) == $1 }.map(\.0)
  }

  /// Starts a cluster and waits until its scheduler answers.
  ///
  /// Whatever ends this program meanwhile, each process that it has started is written down, so that ``last()`` finds
  /// it and the next start ends it; another program that starts or ends the cluster waits.
  ///
  /// - Parameters:
  ///   - workers: how many workers, of one thread each.
  ///   - python: the interpreter that has Dask.
  /// - Throws: ``ApusError`` of kind `file` when one is up already, or without Python and Dask.
  public static func start(workers: Int, python: String) async throws -> LocalCluster {
    let lock = try await ClusterFolder.lock()
    defer { withExtendedLifetime(lock) {} }
    if let existing = try? running() {
      throw ApusError(
        .file, "a local cluster is up already, at \(existing.address)",
        hint: "end it with 'apus cluster down'")
    }
    if let rest = try? last() { await rest.end() }
    try ClusterFolder.prepare()
    var cluster = LocalCluster()
    do {
      try await cluster.start(workers: workers, python: python)
    } catch {
      // What runs already would be nobody's.
      for process in cluster.living { kill(process, SIGKILL) }
      throw error
    }
    return cluster
  }

  /// Whether an interpreter has what Dask's dashboard is drawn with; without it, its pages only say what is missing.
  public static func hasDashboard(python: String) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('bokeh') is None)",
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  private mutating func start(workers count: Int, python: String) async throws {
    let facts = ClusterFolder.schedulerFacts
    try launch(
      python,
      [
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:8787",
        "--scheduler-file", facts.path,
      ], log: "scheduler")
    var found: String?
    for _ in 0..<600 where found == nil {
      try await Task.sleep(for: .milliseconds(50))
      guard waitpid(scheduler, nil, WNOHANG) == 0 else { break }
      found =
        (try? Data(contentsOf: facts))
        .flatMap { try? JSONDecoder().decode(SchedulerFacts.self, from: $0) }?.address
    }
    guard let found else {
      throw ApusError(
        .file, "the scheduler did not start: \(Self.lastLine(of: "scheduler"))",
        hint: "install Dask with '\(python) -m pip install distributed bokeh', "
          + "or name another interpreter in APUS_PYTHON")
    }
    for number in 0..<count {
      try launch(
        python,
        [
          "worker", found, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
          "--dashboard-address", "127.0.0.1:0", "--name", "worker-\(number)", "--local-directory",
          ClusterFolder.scratch.path,
        ], log: "worker-\(number)")
    }
    address = found
    try save()
  }

  private func save() throws {
    try JSONEncoder().encode(self).write(to: ClusterFolder.record, options: .atomic)
  }

  /// Ends the cluster: asks all processes to end, and kills what has not after ten seconds.
  public func stop() async {
    let lock = try? await ClusterFolder.lock()
    defer { withExtendedLifetime(lock) {} }
    // Who was starting it has written down more of it by now.
    let latest = try? Self.last()
    await (latest?.starts.first == starts.first ? latest ?? self : self).end()
  }

  private func end() async {
    // The workers first: one that hears from its scheduler and from its own parent process that it should end waits for
    // that one, which waits for it.
    for part in [workers, [scheduler]] {
      for process in living where part.contains(process) { kill(process, SIGTERM) }
      for _ in 0..<200 {
        for process in part { _ = waitpid(process, nil, WNOHANG) }
        guard living.contains(where: part.contains) else { break }
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
    for process in living { kill(process, SIGKILL) }
    ClusterFolder.clear()
  }

  /// What each part has written, by its name; of a cluster that did not start, too.
  ///
  /// - Throws: ``ApusError`` of kind `file` when there is no cluster.
  public static func logs() throws -> [(name: String, text: String)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let logs = names.filter { $0.hasSuffix(".log") }.sorted().map { name in
      let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      return (String(name.dropLast(4)), text ?? "")
    }
    guard !logs.isEmpty else { throw noCluster }
    return logs
  }

  private struct SchedulerFacts: Decodable { var address: String }

  private static func lastLine(of log: String) -> String {
    let text = try? String(contentsOf: ClusterFolder.log(log), encoding: .utf8)
    return text?.split(separator: "\n").last.map(String.init) ?? "it wrote nothing"
  }

  /// Starts a process of Dask, which does nothing before it is written down.
  private mutating func launch(_ python: String, _ arguments: [String], log: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    // It hears signals again, all of which this thread, as one of Swift's, may block. What lies in the current folder
    // is not taken for Python's modules.
    let dask = """
      import sys
      sys.path[:] = [place for place in sys.path if place]
      import runpy, signal
      signal.pthread_sigmask(signal.SIG_SETMASK, ())
      sys.argv[0] = "dask"
      runpy.run_module("dask", run_name="__main__")
      """
    // The cluster outlives the terminal that it was started from. It begins when it is told to: should this program end
    // before, nobody would know of it.
    process.arguments =
      ["-c", "trap '' HUP; read -r go && exec \"$@\" </dev/null", "sh", python, "-c", dask] + arguments
    // The same for what Dask starts, where Python is 3.11 or later.
    process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONSAFEPATH": "1"]) { $1 }
    let path = ClusterFolder.log(log)
    try Data().write(to: path)
    let handle = try FileHandle(forWritingTo: path)
    let gate = Pipe()
    let opener = gate.fileHandleForWriting
    // Held by another process too, it would not be seen to be gone; and one that has ended must not end this program.
    _ = fcntl(opener.fileDescriptor, F_SETFD, FD_CLOEXEC)
    signal(SIGPIPE, SIG_IGN)
    process.standardInput = gate
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    let identifier = process.processIdentifier
    if starts.isEmpty { scheduler = identifier } else { workers.append(identifier) }
    starts.append(ProcessStart.time(of: identifier) ?? 0)
    try save()
    try opener.write(contentsOf: Data("\n".utf8))
    try opener.close()
  }
}
