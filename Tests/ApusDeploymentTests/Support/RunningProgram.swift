import ApusTestSupport
import Foundation

/// A program that runs while a test does something else, and is looked at meanwhile.
final class RunningProgram {
  private let process = Process()
  private let folder: URL

  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = repositoryRoot
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    for name in ["output", "errors"] { try Data().write(to: folder.appendingPathComponent(name)) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent("output"))
    process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent("errors"))
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: folder)
  }

  var isRunning: Bool { process.isRunning }

  /// What it has written so far.
  var output: String { text("output") }
  var errors: String { text("errors") }

  private func text(_ name: String) -> String {
    (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
  }

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
