import ApusTestSupport
import Foundation

/// A program that runs while a test does something else, and is looked at meanwhile.
final class RunningProgram {
  private let process = Process()
  private let written: URL

  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    written = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
    try Data().write(to: written)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = repositoryRoot
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: written)
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: written)
  }

  var isRunning: Bool { process.isRunning }

  /// What it has written to standard error so far.
  var errors: String { (try? String(contentsOf: written, encoding: .utf8)) ?? "" }

  /// Waits until its standard error contains what is expected.
  ///
  /// - Returns: whether it came while the program ran, within the time.
  func waitForErrors(_ pattern: Regex<Substring>, seconds: Double = 120) -> Bool {
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end, process.isRunning {
      if errors.contains(pattern) { return process.isRunning }
      Thread.sleep(forTimeInterval: 0.2)
    }
    return false
  }

  /// Waits for its end.
  ///
  /// - Returns: its exit code.
  func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }
}
