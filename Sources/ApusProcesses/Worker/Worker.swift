import ApusParallel
import CApusSystem
import Foundation

/// The inside of a worker process: reads jobs on one thread, runs them on another, sends what became of them.
final class Worker: Sendable {
  private let registry: JobRegistry
  private let terms: WorkerTerms
  private let store = MappedDataStore()
  private let queue = WorkQueue()

  init(registry: JobRegistry, terms: WorkerTerms) {
    self.registry = registry
    self.terms = terms
  }

  /// Serves until standard input ends.
  func run() -> Never {
    signal(SIGPIPE, SIG_IGN)
    if let parent = terms.parent, capus_die_with_parent(parent) != 0 { _exit(0) }
    let page = terms.hasStatusPage ? StatusPage(descriptor: 3) : nil
    page?.inheritedPeak = capus_peak_resident_bytes()
    let (input, output) = Self.takeStandardStreams()
    greet(output)
    var reader = FrameReader(awaitsPreamble: false)
    let welcome = awaitWelcome(input, &reader)
    let results = ResultBuffer(descriptor: output)
    let remaining = reader
    Thread.detachNewThread { [self] in
      var reader = remaining
      serve(input, &reader, results)
    }
    while true {
      CPUShare.$current.withValue(welcome.threads) {
        runNext(page: page, threads: welcome.threads, results: results)
      }
    }
  }

  // MARK: The connection

  /// Moves the protocol away from standard input and output: what jobs print goes to standard error.
  private static func takeStandardStreams() -> (input: Int32, output: Int32) {
    fflush(nil)
    let input = fcntl(0, F_DUPFD_CLOEXEC, 10)
    let output = fcntl(1, F_DUPFD_CLOEXEC, 10)
    let null = open("/dev/null", O_RDONLY)
    dup2(null, 0)
    dup2(2, 1)
    if null > 2 { close(null) }
    capus_buffer_output_by_line()
    return (input, output)
  }

  private func greet(_ output: Int32) {
    let own = Executable.ownPath
    let known = terms.executable.flatMap {
      $0.fingerprint == Executable.fingerprint(of: own) ? $0.digest : nil
    }
    let handshake = Handshake(
      version: WorkerProtocol.version, executable: known ?? (try? Executable.digest(of: own)) ?? "",
      wireNames: registry.wireNames, pid: getpid())
    var writer = ByteWriter()
    writer.writeFrame(.hello) { writer in
      writer.write(bytes: (try? JSONEncoder.jobs.encode(handshake)).map(Array.init) ?? [])
    }
    ResultBuffer.write(WorkerProtocol.preamble + writer.bytes, to: output)
  }

  private func awaitWelcome(_ input: Int32, _ reader: inout FrameReader) -> Welcome {
    let frame = nextFrame(input, &reader)
    var body = ByteReader(frame.body)
    if frame.type == .welcome, let bytes = try? body.readBytes(),
      let welcome = try? JSONDecoder.jobs.decode(Welcome.self, from: Data(bytes))
    {
      return welcome
    }
    let reason = frame.type == .refuse ? try? body.readText() : nil
    leave("refused by the pool: \(reason ?? "the pool did not answer the greeting")")
  }

  /// Reads frames for as long as the pool lives; its end is the worker's, whatever a job is doing.
  private func serve(_ input: Int32, _ reader: inout FrameReader, _ results: ResultBuffer) -> Never {
    while true {
      let frame = nextFrame(input, &reader)
      do {
        try handle(frame, results)
      } catch {
        leave("\(error)")
      }
    }
  }

  private func handle(_ frame: Frame, _ results: ResultBuffer) throws {
    var body = ByteReader(frame.body)
    switch frame.type {
    case .jobs: queue.add(try JobMessage.readAll(frame.body))
    case .place:
      if let digest = Digest(hexadecimal: try body.readText()) {
        store.place(digest, path: try body.readText())
      }
    case .drop:
      if let digest = Digest(hexadecimal: try body.readText()) { store.drop(digest) }
    case .cancel:
      let stopsRunning = try body.read(UInt8.self) == 1
      var ids: Set<UInt64> = []
      while !body.isAtEnd { ids.insert(try body.read()) }
      for id in queue.cancel(ids, stopsRunning: stopsRunning) {
        results.add(Self.notStarted(id), leavesAtOnce: false)
      }
      results.flush()
    case .welcome, .refuse, .hello, .results:
      throw ApusError(.format, "the pool sent a frame of type \(frame.type), which it may not send now")
    }
  }

  private func nextFrame(_ input: Int32, _ reader: inout FrameReader) -> Frame {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    do {
      while true {
        if let frame = try reader.next() { return frame }
        let count = buffer.withUnsafeMutableBytes { read(input, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { _exit(0) }
        reader.append(buffer[..<count])
      }
    } catch {
      leave("\(error)")
    }
  }

  private func leave(_ reason: String) -> Never {
    FileHandle.standardError.write(Data("worker \(getpid()): \(reason)\n".utf8))
    _exit(70)
  }

  // MARK: Jobs

  private func runNext(page: StatusPage?, threads: Int, results: ResultBuffer) {
    let (message, cancellation) = queue.next()
    page?.start(message.id)
    let result = run(message, cancellation: cancellation, threads: threads)
    fflush(nil)
    if page != nil { Self.waitUntilOutputIsRead() }
    page?.stop()
    results.add(result, leavesAtOnce: queue.finish())
  }

  /// Gives the pool the time to read what a job has printed while the status page still names that job: so it is
  /// shown with the right name.
  private static func waitUntilOutputIsRead() {
    for _ in 0..<200 {
      var unread: Int32 = 0
      guard ioctl(2, UInt(FIONREAD), &unread) == 0, unread > 0 else { return }
      usleep(250)
    }
  }

  private func run(_ message: JobMessage, cancellation: Cancellation, threads: Int) -> ResultMessage {
    var result = Self.notStarted(message.id)
    let context = JobContext(
      index: message.index, seed: message.seed,
      compute: ComputeContext(threads: threads, cancellation: cancellation), store: store)
    var stopwatch = JobStopwatch()
    do {
      result.payload = try registry.run(wireName: message.wireName, job: message.job, in: context)
      result.status = .succeeded
      if result.payload.count > WorkerProtocol.longestFrame / 2 {
        throw ApusError(
          .job, "the output of \(result.payload.count) bytes is too long for the worker protocol",
          hint: "return less than \(WorkerProtocol.longestFrame / 2) bytes, or write a file")
      }
    } catch {
      let stopped = error is CancellationError || (error as? ApusError)?.kind == .cancelled
      let unknown = !registry.wireNames.contains(message.wireName)
      result.status = unknown ? .notRegistered : cancellation.isCancelled && stopped ? .cancelled : .threw
      result.payload = Array("\(error)".utf8)
    }
    let execution = stopwatch.lap(worker: "")
    result.wallSeconds = execution.wallSeconds
    result.cpuSeconds = execution.cpuSeconds
    return result
  }

  private static func notStarted(_ id: UInt64) -> ResultMessage {
    ResultMessage(
      id: id, status: .cancelled, wallSeconds: 0, cpuSeconds: 0,
      payload: Array("the run was cancelled before the job was started".utf8))
  }
}
