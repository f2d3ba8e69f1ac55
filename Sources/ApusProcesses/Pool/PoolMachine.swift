/// The decisions of a process pool, apart from all input and output: what happened goes in, what to do comes
/// out. It knows workers and jobs by their numbers only.
///
/// - A worker that dies costs at most the job it was running, and that only the `crashLimit`-th time; its other
///   jobs are run elsewhere.
/// - Workers are started when there is work, and replaced when they die; a pool whose workers die before they
///   greet gives up after `startLimit` of them in a row, or ten times as many where workers have started before:
///   the executable is all right then.
/// - A worker without work takes over what waits behind a long job of another one.
package struct PoolMachine {
  package typealias WorkerID = Int
  package typealias JobID = UInt64

  /// What a pool is told.
  package enum Event: Equatable {
    /// There may be jobs: a run has started, or its reader has caught up.
    case wanted
    /// A worker has greeted and was welcomed.
    case greeted(WorkerID)
    /// Jobs drawn for a worker, in answer to ``Instruction/draw(_:count:)``; none when there are none now.
    case drawn(WorkerID, [JobID])
    /// A worker has ended a job that took some time.
    case finished(WorkerID, JobID, seconds: Double)
    /// A worker gives back a job that it has not started.
    case returned(WorkerID, JobID)
    /// A worker is gone; `running` is the job it was running.
    case died(WorkerID, running: JobID?)
    /// A worker's job has been running for too long.
    case timedOut(WorkerID, JobID)
    /// A worker's memory has grown beyond the limit.
    case grown(WorkerID)
    /// Nobody waits for some jobs any more.
    case cancelled(Set<JobID>)
  }

  /// What a pool is to do.
  package enum Instruction: Equatable {
    /// Start a worker.
    case spawn(WorkerID)
    /// Draw up to `count` jobs from the runs for a worker.
    case draw(WorkerID, count: Int)
    /// Send jobs to a worker.
    case send(WorkerID, [JobID])
    /// Ask a worker to give back jobs that it has not started.
    case recall(WorkerID, [JobID])
    /// Ask a worker to stop jobs, and kill it if it does not soon.
    case stop(WorkerID, [JobID])
    /// Record that a job crashed its workers as often as is allowed; the last one is named.
    case fail(JobID, WorkerID, crashes: Int)
    /// Record that a job was cancelled with its worker.
    case drop(JobID)
    /// Kill a worker.
    case kill(WorkerID)
    /// Let a worker without jobs end.
    case dismiss(WorkerID)
    /// No worker can be started: the last one that tried is named; all jobs fail.
    case giveUp(WorkerID)
  }

  private struct Worker {
    var isReady = false
    /// Jobs sent and not ended, in order.
    var jobs: [JobID] = []
    var recalled: Set<JobID> = []
    var isLeaving = false
  }

  /// So many workers start together.
  private static let firstWorkers = 64

  private let slots: Int
  private let crashLimit: Int
  private var startLimit: Int
  private var hasStarted = false
  private var workers: [WorkerID: Worker] = [:]
  private var nextWorker = 0
  private var waiting: [JobID] = []
  private var crashes: [JobID: Int] = [:]
  private var cancelled: Set<JobID> = []
  private var startFailures = 0
  private var mayDraw = false
  private var window = BatchWindow()
  private var instructions: [Instruction] = []

  package init(slots: Int, crashLimit: Int = 2, startLimit: Int = 3) {
    self.slots = slots
    self.crashLimit = crashLimit
    self.startLimit = startLimit
  }

  /// How many jobs a worker may have now.
  package var windowSize: Int { window.size }

  /// Decides what follows from an event.
  package mutating func handle(_ event: Event) -> [Instruction] {
    switch event {
    case .wanted:
      mayDraw = true
      startWorkers()
      assignAll()
    case .greeted(let id):
      if !hasStarted { startLimit *= 10 }
      hasStarted = true
      startFailures = 0
      workers[id]?.isReady = true
      assign(id)
      if workers.count >= Self.firstWorkers, mayDraw || !waiting.isEmpty { startWorkers() }
    case .drawn(let id, let jobs): drawn(id, jobs)
    case .finished(let id, let job, let seconds):
      window.finished(seconds: seconds)
      crashes[job] = nil
      cancelled.remove(job)
      ended(id, job)
    case .returned(let id, let job):
      if cancelled.remove(job) != nil {
        instructions.append(.drop(job))
      } else {
        waiting.append(job)
      }
      remove(job, from: id)
      leaveIfIdle(id)
      assignAll()
    case .died(let id, let running): died(id, running: running)
    case .timedOut(let id, let job):
      // The caller records the failure; the rest of the worker's jobs are saved when it has died.
      workers[id]?.jobs.removeAll { $0 == job }
      crashes[job] = nil
      instructions.append(.kill(id))
    case .grown(let id): grown(id)
    case .cancelled(let jobs): cancel(jobs)
    }
    defer { instructions = [] }
    return instructions
  }

  // MARK: Work

  private var hasWork: Bool { mayDraw || !waiting.isEmpty || workers.values.contains { !$0.jobs.isEmpty } }

  private mutating func startWorkers() {
    guard hasWork else { return }
    guard startFailures < startLimit || !workers.values.contains(where: \.isReady) else { return }
    // Of thousands, more start when the first have found that there is work for them.
    let most = min(slots, max(Self.firstWorkers, 2 * workers.values.count { $0.isReady }))
    while workers.count < most {
      workers[nextWorker] = Worker()
      instructions.append(.spawn(nextWorker))
      nextWorker += 1
    }
  }

  private mutating func assignAll() {
    // Those with least to do come first.
    for (id, _) in workers.sorted(by: { ($0.value.jobs.count, $0.key) < ($1.value.jobs.count, $1.key) }) {
      assign(id)
    }
  }

  /// Fills a worker's window once half of it is empty.
  private mutating func assign(_ id: WorkerID) {
    guard let worker = workers[id], worker.isReady, !worker.isLeaving else { return }
    guard worker.jobs.count * 2 <= window.size, worker.jobs.count < window.size else { return }
    let wanted = window.size - worker.jobs.count
    if !waiting.isEmpty {
      let taken = Array(waiting.prefix(wanted))
      waiting.removeFirst(taken.count)
      give(taken, to: id)
    } else if mayDraw {
      instructions.append(.draw(id, count: wanted))
    } else if worker.jobs.isEmpty {
      takeOver()
    }
  }

  private mutating func drawn(_ id: WorkerID, _ jobs: [JobID]) {
    if jobs.isEmpty {
      mayDraw = false
      assign(id)
    } else if workers[id]?.isReady == true {
      give(jobs, to: id)
    } else {
      waiting += jobs
      assignAll()
    }
  }

  private mutating func give(_ jobs: [JobID], to id: WorkerID) {
    workers[id]?.jobs += jobs
    instructions.append(.send(id, jobs))
  }

  /// Calls back half of what waits at the worker that has most, for one that has nothing.
  private mutating func takeOver() {
    guard !workers.values.contains(where: { !$0.recalled.isEmpty }) else { return }
    guard let richest = workers.max(by: { ($0.value.jobs.count, $1.key) < ($1.value.jobs.count, $0.key) }),
      richest.value.jobs.count > 1
    else { return }
    let jobs = Array(richest.value.jobs.suffix(richest.value.jobs.count / 2))
    workers[richest.key]?.recalled = Set(jobs)
    instructions.append(.recall(richest.key, jobs))
  }

  private mutating func remove(_ job: JobID, from id: WorkerID) {
    workers[id]?.recalled.remove(job)
    if let position = workers[id]?.jobs.firstIndex(of: job) { workers[id]?.jobs.remove(at: position) }
  }

  private mutating func ended(_ id: WorkerID, _ job: JobID) {
    remove(job, from: id)
    assign(id)
    leaveIfIdle(id)
  }

  private mutating func grown(_ id: WorkerID) {
    guard let worker = workers[id], !worker.isLeaving else { return }
    workers[id]?.isLeaving = true
    let waiting = Array(worker.jobs.dropFirst())
    if !waiting.isEmpty { instructions.append(.recall(id, waiting)) }
    leaveIfIdle(id)
  }

  private mutating func leaveIfIdle(_ id: WorkerID) {
    guard let worker = workers[id], worker.isLeaving, worker.jobs.isEmpty else { return }
    workers[id] = nil
    instructions.append(.dismiss(id))
    startWorkers()
  }

  // MARK: Deaths

  private mutating func died(_ id: WorkerID, running: JobID?) {
    guard let worker = workers.removeValue(forKey: id) else { return }
    guard worker.isReady else { return failedToStart(id) }
    // A death between two jobs is put down to the next one, so that no pool loops for ever; one while a job ran
    // that has been recorded already, to none.
    let culprit = running ?? worker.jobs.first
    for job in worker.jobs {
      if cancelled.remove(job) != nil {
        instructions.append(.drop(job))
      } else if job == culprit {
        blame(job, id)
      } else {
        waiting.append(job)
      }
    }
    startWorkers()
    assignAll()
  }

  private mutating func blame(_ job: JobID, _ id: WorkerID) {
    let count = crashes[job, default: 0] + 1
    crashes[job] = count
    guard count >= crashLimit else {
      waiting.append(job)
      return
    }
    crashes[job] = nil
    instructions.append(.fail(job, id, crashes: count))
  }

  private mutating func failedToStart(_ id: WorkerID) {
    startFailures += 1
    guard startFailures >= startLimit else { return startWorkers() }
    // Those that did start go on alone.
    if workers.values.contains(where: \.isReady) { return }
    startFailures = 0
    waiting = []
    mayDraw = false
    instructions.append(.giveUp(id))
  }

  private mutating func cancel(_ jobs: Set<JobID>) {
    for job in waiting where jobs.contains(job) { instructions.append(.drop(job)) }
    waiting.removeAll { jobs.contains($0) }
    for (id, worker) in workers.sorted(by: { $0.key < $1.key }) {
      let concerned = worker.jobs.filter { jobs.contains($0) }
      guard !concerned.isEmpty else { continue }
      cancelled.formUnion(concerned)
      instructions.append(.stop(id, concerned))
    }
  }
}
