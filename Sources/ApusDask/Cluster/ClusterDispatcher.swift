import ApusParallel
import ApusProcesses
import Foundation

/// Decides which jobs go to the cluster when, and hands back what became of them: one task that takes commands in
/// order.
///
/// A few batches for each slot are at the cluster, so that no worker waits for its next one and a sweep of a
/// million jobs takes no more of the scheduler's memory than a short one.
final class ClusterDispatcher {
  private struct RunEntry {
    var run: any PoolRun
    var size = BatchSize()
    /// The name of its first batch, by which the next run finds its size; nil before there is one.
    var name: String?
    var isActive = true
    var isStopped = false
    var jobs: Set<UInt64> = []
  }

  private struct JobEntry {
    var run: Int
    var index: Int
    var label: String
    var batch: UInt64
    /// Bytes of its message.
    var size: Int
  }

  private let settings: ClusterSettings
  private let send: (BridgeRequest) -> Void
  private let lastWords: () -> String
  private let report: (ClusterEvent) -> Void
  private var status: ClusterStatus
  /// The sizes of batches that runs ended with, by their names.
  private var sizes: [String: BatchSize] = [:]
  private var runs: [Int: RunEntry] = [:]
  private var jobs: [UInt64: JobEntry] = [:]
  /// Jobs of each batch that have not come back.
  private var batches: [UInt64: Set<UInt64>] = [:]
  private var nextJob: UInt64 = 1
  private var nextBatch: UInt64 = 1
  /// Who waits for data, by number.
  private var puts: [Digest: [Int: UnsafeContinuation<Void, any Error>]] = [:]
  /// Since when something is missing, and what.
  private var absence: (since: ContinuousClock.Instant, trouble: String)?
  /// Why nothing can be run any more.
  private var failure: String?

  init(
    settings: ClusterSettings, status: ClusterStatus, send: @escaping (BridgeRequest) -> Void,
    lastWords: @escaping () -> String, report: @escaping (ClusterEvent) -> Void
  ) {
    self.settings = settings
    self.status = status
    self.send = send
    self.lastWords = lastWords
    self.report = report
  }

  /// Serves until the bridge has ended.
  func serve(_ commands: AsyncStream<ClusterCommand>) async {
    for await command in commands {
      switch command {
      case .wake(let id, let run):
        runs[id, default: RunEntry(run: run)].isActive = true
        if let failure { failAll(because: failure) }
      case .look: break
      case .put(_, _, _, let continuation) where failure != nil:
        continuation.resume(throwing: ApusError(.job, failure ?? lastWords()))
      case .put(let digest, let path, let number, let continuation):
        puts[digest, default: [:]][number] = continuation
        send(.put(reference: digest, path: path))
      case .abandon(let digest, let number):
        puts[digest]?.removeValue(forKey: number)?.resume(
          throwing: ApusError(.cancelled, "the data was no longer waited for"))
        if puts[digest]?.isEmpty == true { puts[digest] = nil }
      case .forget(let digest): send(.forget(reference: digest))
      case .answered(let answer?): take(answer)
      case .answered(nil):
        failure = lastWords()
        failAll(because: lastWords())
      }
      lookForCancelledRuns()
      fill()
    }
    failAll(because: lastWords())
    for entry in runs.values { entry.run.end() }
  }

  // MARK: Jobs on their way out

  private var slots: Int { min(status.slots, settings.slotLimit ?? .max) }

  /// The most batches that may be at the cluster for a run to send more. Where this client has a limit, each is taken
  /// to be running. A cluster without workers gets some too: from what waits it sees that it should start one.
  private func batchLimit(_ size: BatchSize) -> Int {
    settings.slotLimit ?? max(1, slots, min(size.batchesPerSlot * max(1, slots), size.batchesThatFit))
  }

  /// Sends batches until the cluster has as many as it should.
  private func fill() {
    guard failure == nil, status.isConnected else { return }
    while let (id, drawn) = draw() {
      let number = nextBatch
      nextBatch += 1
      var messages: [JobMessage] = []
      for job in drawn {
        messages.append(
          JobMessage(id: nextJob, index: job.index, seed: job.seed, wireName: job.wireName, job: job.bytes))
        jobs[nextJob] = JobEntry(
          run: id, index: job.index, label: job.label, batch: number, size: job.bytes.count)
        runs[id]?.jobs.insert(nextJob)
        nextJob += 1
      }
      batches[number] = Set(messages.map(\.id))
      send(
        .submit(
          ClusterBatch(
            number: number, run: id, name: ClusterBatch.name(for: drawn[0].label),
            priority: Int32(clamping: settings.priority), jobs: messages)))
    }
  }

  private func draw() -> (run: Int, jobs: [DrawnJob])? {
    for id in runs.keys.sorted() {
      guard let entry = runs[id], entry.isActive, batches.count < batchLimit(entry.size) else { continue }
      if let drawn = draw(from: entry, id) { return (id, drawn) }
      runs[id]?.isActive = false
      forgetIfEnded(id)
    }
    return nil
  }

  /// Draws a run's next batch.
  private func draw(from entry: RunEntry, _ id: Int) -> [DrawnJob]? {
    var drawn: [DrawnJob] = []
    var size = entry.size
    if entry.name == nil {
      // Its first job says what was learned already of jobs like it.
      guard let first = entry.run.draw(1, window: 1) else { return nil }
      drawn = first
      let name = ClusterBatch.name(for: first[0].label)
      runs[id]?.name = name
      if let earlier = sizes[name] { size = BatchSize(after: earlier) }
    }
    let window = (batchLimit(size) * size.jobs + 1) / 2
    let count = size.next(left: entry.run.left, slots: max(1, slots)) - drawn.count
    runs[id]?.size = size
    guard count > 0 else { return drawn }
    guard let more = entry.run.draw(count, window: window) else {
      // Until its reader asks for more, if there are more.
      runs[id]?.isActive = false
      return drawn.isEmpty ? nil : drawn
    }
    return drawn + more
  }

  // MARK: What comes back

  private func take(_ answer: BridgeAnswer) {
    switch answer {
    case .ready: break
    case .stored(let digest):
      for continuation in (puts.removeValue(forKey: digest) ?? [:]).values { continuation.resume() }
    case .notStored(let digest, let message):
      for continuation in (puts.removeValue(forKey: digest) ?? [:]).values {
        continuation.resume(throwing: ApusError(.job, message))
      }
    case .results(let batch, let results): take(results, of: batch)
    case .status(let latest):
      status.workers = latest.workers
      status.batches = latest.waiting
      status.retries = latest.retries
      status.isConnected = latest.scheduler == nil
      report(.status(status))
      lookForAbsence(scheduler: latest.scheduler)
    case .trouble(let message, let isFatal):
      if isFatal { failAll(because: message) } else { report(.trouble(message)) }
    }
  }

  private func take(_ results: [WorkerResults], of batch: UInt64) {
    var deliveries: [Int: [RawResult]] = [:]
    var finished: [Int: (jobs: Int, seconds: Double, bytes: Int)] = [:]
    for result in results {
      for (id, outcome) in result.outcomes {
        // A batch that was sent twice may come back twice; the first answer counts.
        guard let entry = jobs.removeValue(forKey: id) else { continue }
        batches[entry.batch]?.remove(id)
        if batches[entry.batch]?.isEmpty == true { batches[entry.batch] = nil }
        runs[entry.run]?.jobs.remove(id)
        finished[entry.run, default: (0, 0, 0)].jobs += 1
        finished[entry.run]?.bytes += entry.size
        let content: RawResult.Content
        switch outcome {
        case .output(let bytes, let execution):
          finished[entry.run]?.seconds += execution.wallSeconds
          finished[entry.run]?.bytes += bytes.count
          content = .output(bytes, execution)
        case .failure(let reason, let message):
          content = .failure(
            JobFailure(reason: reason, message: message, job: entry.label, worker: result.worker))
        }
        deliveries[entry.run, default: []].append(RawResult(index: entry.index, content: content))
      }
    }
    for (id, (jobs, seconds, bytes)) in finished {
      status.finishedJobs += jobs
      runs[id]?.size.finished(jobs: jobs, seconds: seconds, bytes: bytes)
    }
    for (id, results) in deliveries {
      runs[id]?.run.deliver(results)
      forgetIfEnded(id)
    }
  }

  private func forgetIfEnded(_ id: Int) {
    guard let entry = runs[id], !entry.isActive, entry.jobs.isEmpty else { return }
    if let name = entry.name { sizes[name] = entry.size }
    runs[id] = nil
  }

  // MARK: Ends

  private func lookForCancelledRuns() {
    for (id, entry) in runs where entry.run.isCancelled && !entry.isStopped {
      runs[id]?.isStopped = true
      send(.stop(run: id))
      finish(entry.jobs) { .notStarted($0) }
      drawEnding(id)
    }
  }

  /// Says what is missing, and gives up when it has been for too long.
  private func lookForAbsence(scheduler: String?) {
    let trouble: String? =
      switch scheduler {
      case "silent": "the scheduler does not answer; waiting for it"
      case .some: "the connection to the scheduler is lost; connecting again"
      case nil: slots == 0 ? "the cluster has no \(settings.wantedWorker); waiting for one" : nil
      }
    guard let trouble, !runs.isEmpty || !puts.isEmpty else {
      absence = nil
      return
    }
    let now = ContinuousClock.now
    if absence?.trouble != trouble { report(.trouble(trouble)) }
    let since = absence?.since ?? now
    absence = (since, trouble)
    guard let limit = settings.absenceTimeout, now - since > .seconds(limit) else { return }
    absence = nil
    let missing = status.isConnected ? settings.wantedWorker : "scheduler"
    failAll(because: "the cluster had no \(missing) for \(limit) s")
  }

  /// Lets all jobs of all runs fail; a later run may find the cluster better.
  private func failAll(because message: String) {
    let failure: @Sendable (String) -> JobFailure = { JobFailure(reason: .lost, message: message, job: $0) }
    finish(Set(jobs.keys), failure)
    for id in runs.keys.sorted() {
      runs[id]?.run.fail(failure)
      // What of it is at the cluster, or waits for a cluster, is not to be run any more.
      if self.failure == nil { send(.stop(run: id)) }
      drawEnding(id)
    }
    let waiting = puts.values.flatMap(\.values)
    puts = [:]
    for continuation in waiting { continuation.resume(throwing: ApusError(.job, message)) }
  }

  private func finish(_ ids: Set<UInt64>, _ failure: (String) -> JobFailure) {
    for id in ids.sorted() {
      guard let entry = jobs.removeValue(forKey: id) else { continue }
      batches[entry.batch] = nil
      runs[entry.run]?.jobs.remove(id)
      runs[entry.run]?.run.deliver([RawResult(index: entry.index, content: .failure(failure(entry.label)))])
    }
  }

  /// Lets jobs of a run that is ending fail as they are drawn, as far as the reader follows.
  private func drawEnding(_ id: Int) {
    _ = runs[id]?.run.draw(1024, window: 1)
    runs[id]?.isActive = false
    forgetIfEnded(id)
  }
}
