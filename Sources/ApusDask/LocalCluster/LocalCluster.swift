import ApusParallel
import Foundation

/// A scheduler and workers of Dask on this machine, for trying out: started once, used by many programs, ended by
/// hand.
///
/// It listens on the loopback address only, since a scheduler without TLS runs whatever anybody sends it.
public struct LocalCluster: Codable, Sendable {
  /// The scheduler's address.
  public let address: String
  /// The scheduler's process.
  public let scheduler: Int32
  /// The workers' processes.
  public let workers: [Int32]
  /// When the scheduler and then the workers were started, in the kernel's words, and since which start of the system:
  /// without it, a number of a process could be another's by now.
  private let starts: [UInt64]
  private let boot: String

  /// Where the cluster of this user is written down: `$XDG_STATE_HOME/apus/cluster`, or below `~/.local/state`.
  public static var folder: URL {
    let environment = ProcessInfo.processInfo.environment
    let state =
      environment["XDG_STATE_HOME"].map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/state")
    return state.appendingPathComponent("apus/cluster")
  }

  private static var file: URL { folder.appendingPathComponent("cluster.json") }

  /// The cluster that is up.
  ///
  /// - Throws: ``ApusError`` of kind `file` when there is none.
  public static func running() throws -> LocalCluster {
    let cluster = try last()
    guard cluster.living.contains(cluster.scheduler) else { throw noCluster }
    return cluster
  }

  /// The cluster that was started last, of which a process lives, be it without its scheduler.
  ///
  /// - Throws: ``ApusError`` of kind `file` when there is none.
  public static func last() throws -> LocalCluster {
    guard let data = try? Data(contentsOf: file),
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
  /// - Parameters:
  ///   - workers: how many workers, of one thread each.
  ///   - python: the interpreter that has Dask.
  /// - Throws: ``ApusError`` of kind `file` when one is up already, or without Python and Dask.
  public static func start(workers: Int, python: String) async throws -> LocalCluster {
    if let existing = try? running() {
      throw ApusError(
        .file, "a local cluster is up already, at \(existing.address)",
        hint: "end it with 'apus cluster down'")
    }
    if let rest = try? last() { await rest.stop() }
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let facts = folder.appendingPathComponent("scheduler.json").path
    let scheduler = try launch(
      python,
      [
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:8787",
        "--scheduler-file", facts,
      ], log: "scheduler")
    var address: String?
    for _ in 0..<600 where address == nil {
      try await Task.sleep(for: .milliseconds(50))
      guard kill(scheduler, 0) == 0, waitpid(scheduler, nil, WNOHANG) == 0 else { break }
      address =
        (try? Data(contentsOf: URL(fileURLWithPath: facts)))
        .flatMap { try? JSONDecoder().decode(SchedulerFacts.self, from: $0) }?.address
    }
    guard let address else {
      kill(scheduler, SIGKILL)
      throw ApusError(
        .file, "the scheduler did not start: \(lastLine(of: "scheduler"))",
        hint:
          "install Dask with '\(python) -m pip install distributed', or name another interpreter in APUS_PYTHON"
      )
    }
    var processes: [Int32] = []
    do {
      for number in 0..<workers {
        processes.append(
          try launch(
            python,
            [
              "worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
              "--dashboard-address", "127.0.0.1:0", "--name", "worker-\(number)", "--local-directory",
              folder.path,
            ], log: "worker-\(number)"))
      }
      let cluster = LocalCluster(
        address: address, scheduler: scheduler, workers: processes,
        starts: ([scheduler] + processes).map { ProcessStart.time(of: $0) ?? 0 },
        boot: ProcessStart.boot)
      try JSONEncoder().encode(cluster).write(to: file, options: .atomic)
      return cluster
    } catch {
      // What runs already would be nobody's.
      for process in processes + [scheduler] { kill(process, SIGKILL) }
      throw error
    }
  }

  /// Ends the cluster: asks all processes to end, and kills what is left after ten seconds.
  public func stop() async {
    for process in living { kill(process, SIGTERM) }
    for _ in 0..<200 {
      for process in workers + [scheduler] { _ = waitpid(process, nil, WNOHANG) }
      guard !living.isEmpty else { break }
      try? await Task.sleep(for: .milliseconds(50))
    }
    for process in living { kill(process, SIGKILL) }
    try? FileManager.default.removeItem(at: Self.folder)
  }

  /// What each part has written, by its name.
  public static func logs() throws -> [(name: String, text: String)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".log") }.sorted().map { name in
      let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      return (String(name.dropLast(4)), text ?? "")
    }
  }

  private struct SchedulerFacts: Decodable { var address: String }

  private static func lastLine(of log: String) -> String {
    let text = try? String(contentsOf: folder.appendingPathComponent("\(log).log"), encoding: .utf8)
    return text?.split(separator: "\n").last.map(String.init) ?? "it wrote nothing"
  }

  private static func launch(_ python: String, _ arguments: [String], log: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    // The cluster outlives the terminal that it was started from. It hears signals again, all of which this thread,
    // as one of Swift's, may block. What lies in the current folder is not taken for Python's modules.
    let dask = """
      import sys
      sys.path[:] = [place for place in sys.path if place]
      import runpy, signal
      signal.pthread_sigmask(signal.SIG_SETMASK, ())
      sys.argv[0] = "dask"
      runpy.run_module("dask", run_name="__main__")
      """
    process.arguments = ["-c", "trap '' HUP; exec \"$@\"", "sh", python, "-c", dask] + arguments
    // The same for what Dask starts, where Python is 3.11 or later.
    process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONSAFEPATH": "1"]) { $1 }
    let path = folder.appendingPathComponent("\(log).log")
    try Data().write(to: path)
    let handle = try FileHandle(forWritingTo: path)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    return process.processIdentifier
  }
}

/// When processes were started, by which they are told apart from later ones with their numbers.
private enum ProcessStart {
  /// This run of the system.
  static var boot: String {
    (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
  }

  /// Ticks from the start of the system to a process's; nil when there is no such process, or it has ended.
  static func time(of process: Int32) -> UInt64? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      // The second field is the program's name, in brackets, and may hold anything.
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return UInt64(fields[19])
  }
}
