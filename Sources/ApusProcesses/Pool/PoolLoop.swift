import ApusParallel
import CApusSystem
import Foundation

/// The thread of a process pool: waits for whatever happens to its workers and runs, asks the ``PoolMachine``
/// what follows, and does it.
final class PoolLoop {
  private struct RunEntry {
    var run: any PoolRun
    /// Whether the run may have jobs; false until its reader asks for more.
    var isActive = true
    var isStopped = false
    var jobs: Set<UInt64> = []
  }

  private struct JobEntry {
    var run: Int
    var label: String
    var message: JobMessage
  }

  /// How long a worker may be stopped by a signal: 2 s, so that a person who stops one by mistake can let it go on.
  private static let stopTime: Int64 = 2_000_000_000

  private let settings: PoolSettings
  private let channel: PoolChannel
  private var machine: PoolMachine
  private var workers: [Int: WorkerProcess] = [:]
  private var deaths: [Int: WorkerDeath] = [:]
  private var runs: [Int: RunEntry] = [:]
  private var jobs: [UInt64: JobEntry] = [:]
  private var nextJob: UInt64 = 1
  private var placed: [Digest: String] = [:]
  private var deliveries: [Int: [RawResult]] = [:]
  private var memoryKills = MemoryKills()
  private var nextExamination: Int64 = 0
  private var closing: [UnsafeContinuation<Void, Never>]?

  init(settings: PoolSettings, channel: PoolChannel) {
    self.settings = settings
    self.channel = channel
    machine = PoolMachine(slots: settings.capacity.slots, crashLimit: settings.crashLimit)
  }

  /// Serves until the pool is closed, and ends all workers.
  func run() {
    while closing == nil {
      waitAndRead()
      for command in channel.take() { obey(command) }
      lookForCancelledRuns()
      lookForLateJobs()
      examineWorkers()
      deliverResults()
    }
    endWorkers()
    let late = channel.close()
    for entry in runs.values { entry.run.end() }
    for command in late {
      switch command {
      case .wake(_, let run): run.end()
      case .close(let continuation): continuation?.resume()
      case .look, .place, .drop: break
      }
    }
    for continuation in closing ?? [] { continuation.resume() }
  }

  private func obey(_ command: PoolCommand) {
    switch command {
    case .wake(let id, let run):
      runs[id, default: RunEntry(run: run)].isActive = true
      if run.isEnding { drawEnding(id) } else { apply(.wanted) }
    case .look: break
    case .place(let digest, let path):
      placed[digest] = path
      for worker in workers.values where worker.isGreeted { send(digest, path, to: worker) }
    case .drop(let digest):
      placed[digest] = nil
      for worker in workers.values where worker.isGreeted {
        worker.send(.drop) { $0.write(digest.hexadecimal) }
      }
    case .close(let continuation): closing = (closing ?? []) + [continuation].compactMap { $0 }
    }
  }

  // MARK: Events

  private func waitAndRead() {
    let ids = workers.keys.sorted()
    var polled = [pollfd(fd: channel.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
    for id in ids {
      guard let worker = workers[id] else { continue }
      polled.append(pollfd(fd: worker.output, events: Int16(POLLIN), revents: 0))
      polled.append(pollfd(fd: worker.errors, events: Int16(POLLIN), revents: 0))
      polled.append(pollfd(fd: worker.death, events: Int16(POLLIN), revents: 0))
      polled.append(pollfd(fd: worker.hasOutgoing ? worker.input : -1, events: Int16(POLLOUT), revents: 0))
    }
    // Runs are looked at often enough that a cancellation takes effect within a blink.
    let isIdle = runs.isEmpty && workers.values.allSatisfy { $0.deadline == nil && $0.death >= 0 }
    guard poll(&polled, UInt(polled.count), isIdle ? -1 : 20) > 0 else { return }
    for (position, id) in ids.enumerated() {
      let states = polled[(1 + 4 * position)..<(5 + 4 * position)].map(\.revents)
      if states[3] != 0 { workers[id]?.writeOutgoing() }
      if states[1] != 0 { readErrors(id) }
      if states[0] != 0 { readOutput(id) }
      if states[2] != 0 || states[0] & Int16(POLLHUP) != 0 { lookForDeath(id) }
    }
  }

  private func apply(_ event: PoolMachine.Event) {
    var events = [event]
    var next = 0
    while next < events.count {
      for instruction in machine.handle(events[next]) { perform(instruction, &events) }
      next += 1
    }
  }

  private func perform(_ instruction: PoolMachine.Instruction, _ events: inout [PoolMachine.Event]) {
    switch instruction {
    case .spawn(let id):
      do {
        workers[id] = try WorkerProcess(settings)
      } catch {
        var death = WorkerDeath(pid: 0)
        death.complaint = "\(error)"
        deaths[id] = death
        events.append(.died(id, running: nil))
      }
    case .draw(let id, let count): events.append(.drawn(id, draw(count)))
    case .send(let id, let ids):
      let messages = ids.compactMap { jobs[$0]?.message }
      workers[id]?.send(.jobs) { writer in for message in messages { message.write(to: &writer) } }
    case .recall(let id, let ids): sendCancel(ids, to: id, stopsRunning: false)
    case .stop(let id, let ids):
      sendCancel(ids, to: id, stopsRunning: true)
      workers[id]?.stopping.formUnion(ids)
      workers[id]?.deadline = capus_monotonic_nanoseconds() + 500_000_000
    case .fail(let job, let id, let crashes):
      let death = deaths[id] ?? WorkerDeath(pid: 0)
      finish(job, .failure(death.failure(of: jobs[job]?.label ?? "", crashes: crashes)))
    case .drop(let job): finish(job, .failure(.notStarted(jobs[job]?.label ?? "")))
    case .kill(let id): workers[id]?.kill()
    case .dismiss(let id): workers[id]?.closeInput()
    case .giveUp(let id): giveUp(deaths[id] ?? WorkerDeath(pid: 0))
    }
  }

  private func sendCancel(_ ids: [UInt64], to worker: Int, stopsRunning: Bool) {
    workers[worker]?.send(.cancel) { writer in
      writer.write(UInt8(stopsRunning ? 1 : 0))
      for id in ids { writer.write(id) }
    }
  }

  // MARK: Jobs

  private func draw(_ count: Int) -> [UInt64] {
    for id in runs.keys.sorted() where runs[id]?.isActive == true {
      guard let drawn = runs[id]?.run.draw(count, window: machine.windowSize) else {
        runs[id]?.isActive = false
        forgetIfEnded(id)
        continue
      }
      return drawn.map { job in
        let message = JobMessage(
          id: nextJob, index: job.index, seed: job.seed, wireName: job.wireName, job: job.bytes)
        jobs[nextJob] = JobEntry(run: id, label: job.label, message: message)
        runs[id]?.jobs.insert(nextJob)
        nextJob += 1
        return message.id
      }
    }
    return []
  }

  private func finish(_ id: UInt64, _ content: RawResult.Content) {
    guard let entry = jobs.removeValue(forKey: id) else { return }
    deliveries[entry.run, default: []].append(RawResult(index: entry.message.index, content: content))
    runs[entry.run]?.jobs.remove(id)
  }

  private func deliverResults() {
    let collected = deliveries
    deliveries = [:]
    for (id, results) in collected {
      runs[id]?.run.deliver(results)
      forgetIfEnded(id)
    }
  }

  private func forgetIfEnded(_ id: Int) {
    // A run that wakes again brings itself along; one whose results still wait here must get them first.
    guard deliveries[id] == nil, let entry = runs[id], !entry.isActive, entry.jobs.isEmpty else { return }
    runs[id] = nil
  }

  private func lookForCancelledRuns() {
    for (id, entry) in runs where entry.run.isCancelled && !entry.isStopped {
      runs[id]?.isStopped = true
      if entry.isActive { drawEnding(id) }
      apply(.cancelled(entry.jobs))
      forgetIfEnded(id)
    }
  }

  private func giveUp(_ death: WorkerDeath) {
    let executable = settings.executable
    for (id, job) in jobs {
      finish(id, .failure(death.failureToStart(of: job.label, executable: executable)))
    }
    for id in runs.keys.sorted() {
      runs[id]?.run.fail { death.failureToStart(of: $0, executable: executable) }
      if runs[id]?.isActive == true { drawEnding(id) }
    }
  }

  /// Lets jobs of a run that is ending fail as they are drawn, as far as the reader follows.
  private func drawEnding(_ id: Int) {
    _ = runs[id]?.run.draw(1024, window: 1)
    runs[id]?.isActive = false
    forgetIfEnded(id)
  }

  // MARK: Workers

  private func readErrors(_ id: Int) {
    guard let worker = workers[id] else { return }
    _ = worker.readErrors { job, line in
      let label = job.flatMap { jobs[$0]?.label } ?? "worker \(worker.pid)"
      settings.onOutput("[\(label)] \(line)")
    }
  }

  private func readOutput(_ id: Int) {
    guard let worker = workers[id] else { return }
    let isOpen = worker.readOutput()
    do {
      while let frame = try worker.reader.next() { try handle(frame, from: id, worker) }
    } catch {
      worker.complaint = "\(error)"
      worker.kill()
    }
    if !isOpen, worker.isGreeted { worker.kill() }
  }

  private func handle(_ frame: Frame, from id: Int, _ worker: WorkerProcess) throws {
    switch frame.type {
    case .hello:
      var body = ByteReader(frame.body)
      let handshake = try JSONDecoder.jobs.decode(Handshake.self, from: Data(try body.readBytes()))
      if let refusal = settings.handshake.refusal(ofWorker: handshake) {
        worker.complaint = refusal
        worker.send(.refuse) { $0.write(refusal) }
        return
      }
      let welcome = Array(
        try JSONEncoder.jobs.encode(Welcome(threads: settings.capacity.threadsPerSlot)))
      worker.send(.welcome) { $0.write(bytes: welcome) }
      worker.isGreeted = true
      worker.examine()
      worker.deadline = nil
      for (digest, path) in placed { send(digest, path, to: worker) }
      apply(.greeted(id))
    case .results:
      guard worker.isGreeted else { throw ApusError(.format, "a worker sent results before it greeted") }
      let (memory, results) = try ResultMessage.readAll(frame.body)
      for result in results { take(result, from: id, worker) }
      if let limit = settings.memoryLimit, memory > limit { apply(.grown(id)) }
    case .welcome, .refuse, .jobs, .place, .drop, .cancel:
      throw ApusError(.format, "a worker sent a frame of type \(frame.type), which only a pool may send")
    }
  }

  private func take(_ result: ResultMessage, from id: Int, _ worker: WorkerProcess) {
    worker.stopping.remove(result.id)
    if worker.stopping.isEmpty { worker.deadline = nil }
    guard let entry = jobs[result.id] else { return }
    let name = "pid \(worker.pid)"
    func fail(_ reason: JobFailure.Reason) {
      let message = String(decoding: result.payload, as: UTF8.self)
      finish(
        result.id, .failure(JobFailure(reason: reason, message: message, job: entry.label, worker: name)))
    }
    switch result.status {
    case .cancelled: return apply(.returned(id, result.id))
    case .threw: fail(.threw)
    case .notRegistered: fail(.notRegistered)
    case .succeeded:
      let execution = JobExecution(
        wallSeconds: result.wallSeconds, cpuSeconds: result.cpuSeconds, worker: name)
      finish(result.id, .output(result.payload, execution))
    }
    apply(.finished(id, result.id, seconds: result.wallSeconds))
  }

  private func send(_ digest: Digest, _ path: String, to worker: WorkerProcess) {
    worker.send(.place) { writer in
      writer.write(digest.hexadecimal)
      writer.write(path)
    }
  }

  private func lookForLateJobs() {
    let now = capus_monotonic_nanoseconds()
    for id in workers.keys.sorted() {
      guard let worker = workers[id] else { continue }
      if let deadline = worker.deadline, now > deadline {
        if !worker.isGreeted { worker.complaint = "it did not greet as a worker in time" }
        worker.kill()
      }
      if worker.death < 0 { lookForDeath(id) }
      guard let limit = settings.jobTimeout, let running = worker.page?.running, running.seconds > limit,
        let job = jobs[running.id]
      else { continue }
      worker.examine()
      readErrors(id)
      var death = WorkerDeath(pid: worker.pid)
      death.peakBytes = worker.peakBytes
      death.lastLines = worker.lastLines(of: running.id)
      finish(running.id, .failure(death.timeOut(of: job.label, limit: limit)))
      apply(.timedOut(id, running.id))
    }
  }

  /// Learns from the kernel, four times a second, how large the workers are and whether somebody stopped them.
  private func examineWorkers() {
    let now = capus_monotonic_nanoseconds()
    guard !runs.isEmpty, now > nextExamination else { return }
    nextExamination = now + 250_000_000
    memoryKills.look(now)
    for worker in workers.values {
      worker.examine()
      guard worker.complaint == nil, let since = worker.stoppedSince, now - since > Self.stopTime else {
        continue
      }
      worker.complaint = "it had been stopped by a signal for \(Self.stopTime / 1_000_000_000) s"
      worker.kill()
    }
  }

  private func lookForDeath(_ id: Int) {
    guard let worker = workers[id] else { return }
    var death = WorkerDeath(pid: worker.pid)
    guard capus_wait(worker.pid, &death.exitCode, &death.signal, &death.peakBytes) == 1 else { return }
    worker.isCollected = true
    // What it had sent before it died counts.
    readOutput(id)
    readErrors(id)
    let stray = String(decoding: worker.reader.strayOutput.suffix(300), as: UTF8.self)
    let running = worker.page?.running?.id
    death.lastLines =
      worker.lastLines(of: running) + (stray.isEmpty ? [] : [stray.replacing("\n", with: " | ")])
    death.complaint = worker.complaint
    death.hadGreeted = worker.isGreeted
    death.memoryWasShort = memoryKills.haveGrown
    // The kernel's figure starts with the size of the pool's own process, which says nothing of the worker.
    if death.peakBytes <= worker.page?.inheritedPeak ?? 0 { death.peakBytes = worker.peakBytes }
    deaths[id] = death
    workers[id] = nil
    apply(.died(id, running: running))
    deaths[id] = nil
  }

  private func endWorkers() {
    for worker in workers.values { worker.closeInput() }
    let deadline = capus_monotonic_nanoseconds() + 300_000_000
    var death = WorkerDeath(pid: 0)
    for worker in workers.values {
      while capus_wait(worker.pid, &death.exitCode, &death.signal, &death.peakBytes) == 0 {
        if capus_monotonic_nanoseconds() > deadline { worker.kill() }
        usleep(500)
      }
    }
    workers = [:]
  }
}
