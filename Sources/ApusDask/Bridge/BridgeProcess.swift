import ApusParallel
import CApusBridge
import Foundation
import Synchronization

/// The Python process between this program and the scheduler, and the threads that talk to it.
final class BridgeProcess: Sendable {
  /// Seconds for a bridge to end that was asked to, more than its own steps toward it take together.
  private static let patience = 40.0
  private let outgoing: FileHandle
  private let identifier: Int32
  private let writing = DispatchQueue(label: "apus.bridge.write")
  private let ended = Mutex<(status: Int32?, waiting: [UnsafeContinuation<Void, Never>])>((nil, []))
  private let lastLines = Mutex<[String]>([])

  /// Starts the bridge.
  ///
  /// - Parameters:
  ///   - python: the interpreter, a path or a name that is looked up on the `PATH`.
  ///   - onAnswer: is called on a thread of the bridge for every answer, then once with nil when it has ended.
  /// - Throws: ``ApusError`` of kind `file`.
  init(python: String, onAnswer: @escaping @Sendable (BridgeAnswer?) -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-bridge-\(UUID().uuidString)")
    let file = folder.appendingPathComponent("apus_bridge.py")
    let process = Process()
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    do {
      for index in 0..<capusbridge_file_count() {
        let part = capusbridge_file_at(index)
        let path = folder.appendingPathComponent(String(cString: part.path))
        try FileManager.default.createDirectory(
          at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes: part.bytes, count: part.count).write(to: path)
      }
      guard !python.contains("/") || FileManager.default.isExecutableFile(atPath: python) else {
        throw ApusError(.file, "there is no program of that name")
      }
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      // An interruption that the terminal tells both of is this program's to answer, from the first moment on. The
      // bridge removes the folder as soon as it has read what is there: this program may be killed.
      process.arguments = ["-c", "trap '' INT; exec \"$0\" \"$@\"", python, file.path, folder.path]
      process.standardInput = input
      process.standardOutput = output
      process.standardError = errors
      try process.run()
    } catch {
      try? FileManager.default.removeItem(at: folder)
      throw ApusError(
        .file, "the Python interpreter \(python) cannot be started",
        hint: "install Python 3 with Dask, or name another interpreter in APUS_PYTHON", cause: error)
    }
    outgoing = input.fileHandleForWriting
    identifier = process.processIdentifier
    // What is written to a bridge that has just ended must not end this program.
    signal(SIGPIPE, SIG_IGN)
    Thread.detachNewThread { [self] in
      for line in Lines(errors.fileHandleForReading) { lastLines.withLock { $0 = $0.suffix(7) + [line] } }
    }
    Thread.detachNewThread { [self] in
      Self.readAnswers(output.fileHandleForReading, onAnswer)
      process.waitUntilExit()
      try? FileManager.default.removeItem(at: folder)
      let waiting = ended.withLock { state in
        state.status = process.terminationStatus
        defer { state.waiting = [] }
        return state.waiting
      }
      onAnswer(nil)
      for continuation in waiting { continuation.resume() }
    }
  }

  /// Sends a request, in order.
  func send(_ request: BridgeRequest) {
    writing.async { [self] in
      // A bridge that has ended says so itself.
      if let frame = try? request.frame() { try? outgoing.write(contentsOf: Data(frame)) }
    }
  }

  /// Lets the bridge clear up and end, and waits until it has; one that stands still is killed.
  func close() async {
    writing.async { [self] in try? outgoing.close() }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) { [weak self] in
      guard let self else { return }
      // Once it has been waited for, its number may be another process's.
      if ended.withLock({ $0.status == nil }) { kill(identifier, SIGKILL) }
    }
    await withUnsafeContinuation { continuation in
      let hasEnded = ended.withLock { state in
        if state.status == nil { state.waiting.append(continuation) }
        return state.status != nil
      }
      if hasEnded { continuation.resume() }
    }
  }

  /// How the bridge ended, with what it said last.
  var lastWords: String {
    let lines = lastLines.withLock { $0 }.filter { !$0.isEmpty }
    let status = ended.withLock { $0.status }.map { " with code \($0)" } ?? ""
    return "the bridge to Dask ended\(status)"
      + (lines.isEmpty ? "" : ": " + lines.suffix(3).joined(separator: " | "))
  }

  private static func readAnswers(_ handle: FileHandle, _ onAnswer: (BridgeAnswer) -> Void) {
    while let head = read(5, from: handle) {
      var reader = ByteReader(head)
      guard let length = try? reader.read(UInt32.self), length >= 1, let type = try? reader.read(UInt8.self),
        let body = read(Int(length) - 1, from: handle)
      else { return }
      do {
        onAnswer(try BridgeAnswer(type: type, body: body))
      } catch {
        onAnswer(.trouble(message: "the bridge's answer cannot be read: \(error)", isFatal: true))
      }
    }
  }

  private static func read(_ count: Int, from handle: FileHandle) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      guard let data = try? handle.read(upToCount: count - bytes.count), !data.isEmpty else { return nil }
      bytes.append(contentsOf: data)
    }
    return bytes
  }
}

/// The lines of a pipe, as they come.
private struct Lines: Sequence, IteratorProtocol {
  private let handle: FileHandle
  private var buffer: [UInt8] = []
  private var isOpen = true

  init(_ handle: FileHandle) { self.handle = handle }

  mutating func next() -> String? {
    while true {
      if let end = buffer.firstIndex(of: 10) {
        defer { buffer.removeSubrange(...end) }
        return String(decoding: buffer[..<end], as: UTF8.self)
      }
      guard isOpen else { return nil }
      // `availableData` gives what there is, at once.
      let data = handle.availableData
      isOpen = !data.isEmpty
      buffer.append(contentsOf: data)
      if !isOpen, !buffer.isEmpty { buffer.append(10) }
    }
  }
}
