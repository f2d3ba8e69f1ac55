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

    /// The standard output as JSON.
    func json() throws -> [String: Any] {
      try #require(
        JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any],
        "not a JSON object: \(output.prefix(500))")
    }
  }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - arguments: what a shell would pass.
  ///   - folder: the working directory.
  ///   - environment: variables to set beside a small fixed environment.
  ///   - onStart: called when the program runs, for example to send a signal.
  static func run(
    _ arguments: String..., in folder: URL? = nil, environment: [String: String] = [:],
    onStart: (Process) throws -> Void = { _ in }
  ) throws -> Result {
    let output = Pipe()
    let errors = Pipe()
    let process = try start(arguments, in: folder, environment: environment, output: output, errors: errors)
    let collected = Collector(reading: errors.fileHandleForReading)
    try onStart(process)
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let reported = collected.wait()
    process.waitUntilExit()
    return Result(
      status: process.exitStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: reported, as: UTF8.self))
  }

  /// Starts the program with outputs of the caller's choice: pipes or file handles.
  static func start(
    _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:], output: Any,
    errors: Any
  ) throws -> Process {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let inherited = ProcessInfo.processInfo.environment.filter {
      ["PATH", "LD_LIBRARY_PATH", "HOME"].contains($0.key)
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

/// Reads a file handle to its end on a thread of its own.
final class Collector: @unchecked Sendable {
  // Unchecked: `data` is written by the thread before it signals `done`, and read after that.
  private var data = Data()
  private let done = DispatchSemaphore(value: 0)

  init(reading handle: FileHandle) {
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        // A plain read: the reading side of a terminal ends with an error, which FileHandle would trap on.
        let count = read(handle.fileDescriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        data.append(contentsOf: buffer[..<count])
      }
      done.signal()
    }
  }

  func wait() -> Data {
    done.wait()
    return data
  }
}
