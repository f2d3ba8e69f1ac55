import ApusParallel
import CApusSystem
import Foundation

/// A worker seen from its pool: the process, its pipes, and what is on the way in both directions.
final class WorkerProcess {
  /// 30 s: a busy machine loading a large program from a slow disk needs some.
  private static let startTime: Int64 = 30_000_000_000

  let pid: Int32
  let page: StatusPage?
  /// The worker's standard input, output and error, and a descriptor that tells its death.
  private(set) var input: Int32
  let output: Int32
  let errors: Int32
  let death: Int32
  var reader = FrameReader(awaitsPreamble: true)
  var isGreeted = false
  /// Whether the kernel has been told that its end was noticed; its number may be another process's then.
  var isCollected = false
  /// When it will be killed unless it has greeted, or has stopped the jobs it was asked to stop; in nanoseconds
  /// of the monotonic clock.
  var deadline: Int64?
  var stopping: Set<UInt64> = []
  /// Why the pool ends it.
  var complaint: String?
  /// The largest resident set seen so far, in bytes; the kernel's own count is kept for as long as it lives.
  private(set) var peakBytes: Int64 = 0
  /// Since when it has been stopped by a signal, in nanoseconds of the monotonic clock.
  private(set) var stoppedSince: Int64?
  private var outgoing: [UInt8] = []
  private var sent = 0
  private var errorText: [UInt8] = []
  private var lastLines: [(job: UInt64?, text: String)] = []

  /// Starts a process.
  ///
  /// - Throws: ``ApusError`` of kind `job` with the system's reason.
  init(_ settings: PoolSettings) throws {
    let terms = WorkerTerms(
      parent: getpid(), fingerprint: settings.fingerprint, digest: settings.handshake.executable)
    let environment = settings.environment.merging([
      WorkerHook.variable: terms.text,
      // With the default a crash is reported late, and its reporter may keep the pipes open.
      "SWIFT_BACKTRACE": "enable=no",
      "OPENBLAS_NUM_THREADS": "1",
    ]) { $1 }
    let descriptors = try ChildDescriptors()
    defer { descriptors.closeChildEnds() }
    var pid: pid_t = 0
    let failure = withCStrings([settings.executable] + settings.arguments) { arguments in
      withCStrings(environment.map { "\($0)=\($1)" }) { variables in
        capus_spawn(&pid, settings.executable, arguments, variables, descriptors.child)
      }
    }
    guard failure == 0 else {
      descriptors.closeOwnEnds()
      throw ApusError(.job, "\(settings.executable) cannot be started: \(String(cString: strerror(failure)))")
    }
    self.pid = pid
    page = StatusPage(descriptor: descriptors.child[3])
    (input, output, errors) = (descriptors.own[0], descriptors.own[1], descriptors.own[2])
    death = capus_process_descriptor(pid)
    deadline = capus_monotonic_nanoseconds() + Self.startTime
  }

  deinit {
    closeInput()
    close(output)
    close(errors)
    if death >= 0 { close(death) }
  }

  /// Whether bytes wait to be written.
  var hasOutgoing: Bool { sent < outgoing.count && input >= 0 }

  /// Kills it, unless it is gone.
  func kill() {
    if !isCollected { _ = Foundation.kill(pid, SIGKILL) }
  }

  /// Ends the worker's standard input, and with it the worker.
  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// Sends a frame as far as the pipe takes it; the rest follows with ``writeOutgoing()``.
  func send(_ type: FrameType, _ body: (inout ByteWriter) -> Void) {
    var writer = ByteWriter()
    writer.writeFrame(type, body)
    outgoing.append(contentsOf: writer.bytes)
    writeOutgoing()
  }

  /// Writes what the pipe takes.
  func writeOutgoing() {
    while hasOutgoing {
      let count = outgoing.withUnsafeBytes { write(input, $0.baseAddress! + sent, $0.count - sent) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      sent += count
    }
    if sent == outgoing.count {
      outgoing.removeAll(keepingCapacity: true)
      sent = 0
    }
  }

  /// Reads what the worker has written to standard output; false at its end.
  func readOutput() -> Bool { drain(output) { reader.append($0) } }

  /// The last lines that were written while a job ran; while any did, when none is given.
  func lastLines(of job: UInt64?) -> [String] {
    lastLines.filter { job == nil || $0.job == job }.map(\.text)
  }

  /// Reads its size and state from the kernel.
  func examine() {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return }
    var isStopped = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix("State:") {
        isStopped = line.contains("T (stopped)")
      } else if line.hasPrefix("VmHWM:") {
        let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) }
        peakBytes = max(peakBytes, (kilobytes ?? 0) * 1024)
        break
      }
    }
    stoppedSince = isStopped ? stoppedSince ?? capus_monotonic_nanoseconds() : nil
  }

  /// Reads what the worker has written to standard error, line by line, with the job that it runs; false at its
  /// end.
  func readErrors(_ onLine: (_ job: UInt64?, _ line: String) -> Void) -> Bool {
    let isOpen = drain(errors) { errorText.append(contentsOf: $0) }
    while let end = errorText.firstIndex(of: 10) {
      note(errorText[..<end], onLine)
      errorText.removeSubrange(...end)
    }
    if !isOpen || errorText.count > 4096 {
      note(errorText[...], onLine)
      errorText = []
    }
    return isOpen
  }

  private func note(_ bytes: ArraySlice<UInt8>, _ onLine: (UInt64?, String) -> Void) {
    let line = String(decoding: bytes, as: UTF8.self)
    guard !line.isEmpty else { return }
    let job = page?.running?.id
    lastLines = lastLines.suffix(4) + [(job, String(line.prefix(300)))]
    onLine(job, line)
  }

  private func drain(_ descriptor: Int32, _ body: (ArraySlice<UInt8>) -> Void) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return true }
      guard count > 0 else { return false }
      body(buffer[..<count])
      if count < buffer.count { return true }
    }
  }
}

/// The pipes between a pool and a child: standard input, output and error; and the child's status page.
private struct ChildDescriptors {
  var own: [Int32] = []
  var child: [Int32] = []

  init() throws {
    do {
      for index in 0..<3 {
        var ends: [Int32] = [0, 0]
        guard capus_pipe(&ends) == 0 else { throw ApusError.systemFailure("cannot make", "a pipe") }
        let (ownEnd, childEnd) = index == 0 ? (ends[1], ends[0]) : (ends[0], ends[1])
        own.append(ownEnd)
        child.append(Self.raised(childEnd))
        _ = fcntl(ownEnd, F_SETFL, O_NONBLOCK)
      }
      let page = StatusPage.makeDescriptor()
      guard page >= 0 else { throw ApusError.systemFailure("cannot make", "a status page") }
      child.append(Self.raised(page))
    } catch {
      closeOwnEnds()
      closeChildEnds()
      throw error
    }
  }

  /// A descriptor that is not one of those that the child's are put to.
  private static func raised(_ descriptor: Int32) -> Int32 {
    guard descriptor < 4 else { return descriptor }
    defer { close(descriptor) }
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 4)
  }

  func closeOwnEnds() { for descriptor in own { close(descriptor) } }

  func closeChildEnds() { for descriptor in child { close(descriptor) } }
}

/// Lends strings as a null-terminated array of C strings.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let copies = strings.map { strdup($0) } + [nil]
  defer { for copy in copies { free(copy) } }
  return copies.withUnsafeBufferPointer { body($0.baseAddress!) }
}
