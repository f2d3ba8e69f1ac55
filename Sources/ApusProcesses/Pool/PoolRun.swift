import ApusParallel
import Foundation
import Synchronization

/// A job as a run hands it to its pool.
package struct DrawnJob {
  package var index: Int
  package var label: String
  package var seed: Seed
  package var wireName: String
  package var bytes: [UInt8]
}

/// What a pool hands back for a job; its output is decoded by whoever reads the run.
package struct RawResult: Sendable {
  package enum Content: Sendable {
    case output([UInt8], JobExecution)
    case failure(JobFailure)
  }
  package var index: Int
  package var content: Content

  package init(index: Int, content: Content) {
    self.index = index
    self.content = content
  }
}

/// Whoever runs the jobs of runs that are drawn from here: a pool of processes, or the client of a cluster.
package protocol RunServer: Sendable {
  /// The number of a new run.
  func nextRun() -> Int
  /// A run has started, or its reader has caught up; false when nothing is served any more.
  func wake(_ id: Int, _ run: any PoolRun) -> Bool
  /// A run may have been cancelled.
  func look()
}

/// A run of jobs, as its pool sees it.
package protocol PoolRun: Sendable {
  /// Draws up to `count` jobs, no further ahead of the reader than allowed; nil when there are none until the
  /// reader asks for more.
  func draw(_ count: Int, window: Int) -> [DrawnJob]?
  /// How many jobs are left to be drawn; nil when the run's sequence does not say.
  var left: Int? { get }
  /// Hands over results.
  func deliver(_ results: [RawResult])
  /// Lets every job that is still drawn fail.
  func fail(_ failure: @escaping @Sendable (_ job: String) -> JobFailure)
  /// Whether jobs that are drawn fail or are cancelled, so that no worker is needed for them.
  var isEnding: Bool { get }
  /// Ends the run for its reader: the pool is gone.
  func end()
  /// Whether the run was cancelled, or nobody reads it any more.
  var isCancelled: Bool { get }
}

/// One run of jobs on a process pool or a cluster.
package final class ServedRun<Jobs: Sequence & Sendable>: PoolRun where Jobs.Element: Job {
  package typealias Output = Jobs.Element.Output

  private let source: JobSource<Jobs>
  private let mailbox = Mailbox<RawResult>()
  private let server: any RunServer
  private let id: Int
  private let options: RunOptions
  private let slots: Int
  private let cancellation: Cancellation
  private let lookAhead: Atomic<Int>
  private let knownCount: Int
  private let failing = Mutex<(@Sendable (String) -> JobFailure)?>(nil)

  package init(_ jobs: Jobs, options: RunOptions, server: any RunServer, slots: Int) {
    source = JobSource(jobs)
    knownCount = jobs.underestimatedCount
    self.options = options
    self.server = server
    self.slots = slots
    id = server.nextRun()
    cancellation = Cancellation(parent: options.cancellation)
    lookAhead = Atomic(options.lookAhead.map { max(1, $0) } ?? 4 * slots)
  }

  // MARK: The pool's side

  package var isCancelled: Bool { cancellation.isCancelled }

  package var isEnding: Bool { ending != nil }

  package func end() { mailbox.close() }

  package func fail(_ failure: @escaping @Sendable (String) -> JobFailure) {
    failing.withLock { $0 = failure }
  }

  package var left: Int? {
    let left = knownCount - source.takenCount
    return left > 0 ? left : nil
  }

  package func draw(_ count: Int, window: Int) -> [DrawnJob]? {
    if options.lookAhead == nil { lookAhead.store(4 * slots * window, ordering: .relaxed) }
    while let permits = mailbox.permits(count, lookAhead: lookAhead.load(ordering: .relaxed)) {
      let items = source.take(permits.count)
      if items.count < permits.count { mailbox.exhausted(permits, found: items.count) }
      let ending = ending
      var drawn: [DrawnJob] = []
      for (index, job) in items {
        do {
          if let ending { throw ending(job.label) }
          drawn.append(
            DrawnJob(
              index: index, label: job.label, seed: options.seed.derived("job", index),
              wireName: Jobs.Element.wireName, bytes: try job.encoded()))
        } catch {
          let failure =
            error as? JobFailure
            ?? JobFailure(reason: .threw, message: "the job cannot be encoded: \(error)", job: job.label)
          mailbox.deliver([RawResult(index: index, content: .failure(failure))])
        }
      }
      if !drawn.isEmpty { return drawn }
    }
    return nil
  }

  /// How jobs fail that are drawn from now on; nil while they are to be run.
  private var ending: (@Sendable (String) -> JobFailure)? {
    if isCancelled { return { .notStarted($0) } }
    return failing.withLock { $0 }
  }

  package func deliver(_ results: [RawResult]) { mailbox.deliver(results) }

  // MARK: The reader's side

  /// Waits for results and decodes them; nil after the last one, or when the reading task is cancelled.
  package func nextBatch() async -> [JobResult<Output>]? {
    await withTaskCancellationHandler {
      while true {
        let lookAhead = lookAhead.load(ordering: .relaxed)
        let (reading, loops) = mailbox.read(batchLimit: max(1, lookAhead / 4), lookAhead: lookAhead, slots: 1)
        if loops > 0, !server.wake(id, self) { return nil }
        switch reading {
        case .results(let batch):
          return batch.map { Self.decode($0) }
        case .nothingYet: await mailbox.waitInTask()
        case .finished: return nil
        }
      }
    } onCancel: {
      stop()
    }
  }

  /// Ends the run: nobody will read what comes.
  package func stop() {
    cancellation.cancel()
    mailbox.close()
    server.look()
  }

  private static func decode(_ result: RawResult) -> JobResult<Output> {
    switch result.content {
    case .failure(let failure): return JobResult(index: result.index, outcome: .failure(failure))
    case .output(let bytes, let execution):
      do {
        let output = try Jobs.Element.decodedOutput(from: bytes)
        return JobResult(index: result.index, outcome: .success(output, execution))
      } catch {
        let failure = JobFailure(
          reason: .threw, message: "the job's output cannot be decoded: \(error)", job: Jobs.Element.wireName,
          worker: execution.worker)
        return JobResult(index: result.index, outcome: .failure(failure))
      }
    }
  }
}
