import Foundation

/// What a finished program left behind.
public struct ProgramResult: Sendable {
  /// The exit code, or 128 plus the signal that ended the program.
  public var exitCode: Int
  /// Everything written to standard output.
  public var output: String
  /// Everything written to standard error.
  public var errors: String
}

/// Runs a program to its end.
///
/// - Parameters:
///   - program: its path, or a name that is looked up on the `PATH`.
///   - arguments: what follows it.
///   - folder: the working folder; the caller's own unless given.
///   - environment: variables to set beside the caller's.
///   - input: what it reads from standard input; nothing unless given.
/// - Throws: when the program cannot be started.
public func runProgram(
  _ program: String, _ arguments: [String] = [], in folder: URL? = nil, environment: [String: String] = [:],
  input: String? = nil
) throws -> ProgramResult {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program.contains("/") ? program : "/usr/bin/env")
  process.arguments = program.contains("/") ? arguments : [program] + arguments
  process.currentDirectoryURL = folder
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  // Files rather than pipes: a program that writes much to both would block on a full pipe.
  let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: scratch) }
  let outputFile = scratch.appendingPathComponent("output")
  let errorFile = scratch.appendingPathComponent("errors")
  for file in [outputFile, errorFile] { try Data().write(to: file) }
  process.standardOutput = try FileHandle(forWritingTo: outputFile)
  process.standardError = try FileHandle(forWritingTo: errorFile)
  if let input {
    let inputFile = scratch.appendingPathComponent("input")
    try Data(input.utf8).write(to: inputFile)
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
  } else {
    process.standardInput = FileHandle.nullDevice
  }
  try process.run()
  process.waitUntilExit()
  let status = Int(process.terminationStatus)
  return ProgramResult(
    exitCode: process.terminationReason == .uncaughtSignal ? 128 + status : status,
    output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
    errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
}

/// The folder in which this test program was built, and the `apus` binary with it.
public let buildFolder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
  .deletingLastPathComponent()

/// A new, empty folder for one test, removed when `body` returns.
public func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
