import Apus
import ApusTestSupport
import Foundation
import Testing

/// The real executable, as a user runs it.
enum ApusBinary {
  /// The executable, which the build puts beside the test bundle.
  static let url = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("apus")

  /// What a run printed and how it ended.
  struct Result {
    /// The exit code, or 128 + the signal as a shell reports it.
    var status: Int32
    var output: String
    var errors: String

    /// The standard output as JSON, numbers exact to the bit (which `JSONSerialization` does not read).
    func json() throws -> [String: Any] {
      let value = try JSONDecoder().decode(ParameterValue.self, from: Data(output.utf8))
      return try #require(Self.untyped(value) as? [String: Any])
    }

    private static func untyped(_ value: ParameterValue) -> Any {
      switch value {
      case .null: NSNull()
      case .boolean(let value): NSNumber(value: value)
      case .integer(let value): NSNumber(value: value)
      case .real(let value): NSNumber(value: value)
      case .string(let value): value
      case .list(let values): values.map(untyped)
      case .object(let values): values.mapValues(untyped)
      }
    }
  }

  /// Runs the program to its end.
  static func run(_ arguments: String...) throws -> Result { try run(arguments: arguments) }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - arguments: what a shell would pass.
  ///   - folder: the working directory.
  ///   - environment: variables to set beside a small fixed environment.
  static func run(
    arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    let output = Pipe()
    let errors = Pipe()
    return try finish(
      start(arguments, in: folder, environment: environment, output: output, errors: errors), output, errors)
  }

  /// Runs a script of bash to its end.
  static func shell(_ script: String) throws -> Result {
    let output = Pipe()
    let errors = Pipe()
    return try finish(
      start(["-c", script], program: URL(fileURLWithPath: "/bin/bash"), output: output, errors: errors),
      output,
      errors)
  }

  private static func finish(_ process: Process, _ output: Pipe, _ errors: Pipe) throws -> Result {
    let collected = Collector(reading: errors.fileHandleForReading)
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let reported = collected.wait()
    process.waitUntilExit()
    return Result(
      status: process.exitStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: reported, as: UTF8.self))
  }

  /// Starts the program with outputs of the caller's choice: pipes or file handles.
  static func start(
    _ arguments: [String], program: URL = url, in folder: URL? = nil, environment: [String: String] = [:],
    output: Any, errors: Any
  ) throws -> Process {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    // Other kernels of OpenBLAS than this process has would round otherwise.
    let inherited = ProcessInfo.processInfo.environment.filter {
      ["PATH", "LD_LIBRARY_PATH", "HOME", "OPENBLAS_CORETYPE"].contains($0.key)
    }
    process.environment = inherited.merging(["TERM": "xterm"]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return process
  }
}

extension Process {
  /// The exit code, or 128 + the signal as a shell reports it.
  var exitStatus: Int32 { terminationReason == .uncaughtSignal ? 128 + terminationStatus : terminationStatus }
}
