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
    guard let data = try? Data(contentsOf: file),
      let cluster = try? JSONDecoder().decode(LocalCluster.self, from: data), kill(cluster.scheduler, 0) == 0
    else {
      throw ApusError(
        .file, "no local cluster is up",
        hint: "start one with 'apus cluster up', or give --scheduler an address")
    }
    return cluster
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
    let processes = try (0..<workers).map { number in
      try launch(
        python,
        [
          "worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
          "--dashboard-address", "127.0.0.1:0", "--name", "worker-\(number)", "--local-directory",
          folder.path,
        ], log: "worker-\(number)")
    }
    let cluster = LocalCluster(address: address, scheduler: scheduler, workers: processes)
    try JSONEncoder().encode(cluster).write(to: file, options: .atomic)
    return cluster
  }

  /// Ends the cluster: asks all processes to end, and kills what is left after ten seconds.
  public func stop() async {
    let processes = workers + [scheduler]
    for process in processes { kill(process, SIGTERM) }
    for _ in 0..<200 {
      for process in processes { _ = waitpid(process, nil, WNOHANG) }
      guard processes.contains(where: { kill($0, 0) == 0 }) else { break }
      try? await Task.sleep(for: .milliseconds(50))
    }
    for process in processes { kill(process, SIGKILL) }
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
    // as one of Swift's, may block.
    let dask = """
      import runpy, signal, sys
      signal.pthread_sigmask(signal.SIG_SETMASK, ())
      sys.argv[0] = "dask"
      runpy.run_module("dask", run_name="__main__")
      """
    process.arguments = ["-c", "trap '' HUP; exec \"$@\"", "sh", python, "-c", dask] + arguments
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
