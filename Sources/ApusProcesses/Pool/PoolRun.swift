import ApusParallel
import Foundation
import Synchronization

/// A job as a run hands it to its pool.
struct DrawnJob {
  var index: Int
  var label: String
  var seed: Seed
  var wireName: String
  var bytes: [UInt8]
}

/// What a pool hands back for a job; its output is decoded by whoever reads the run.
struct RawResult: Sendable {
  enum Content: Sendable {
    case output([UInt8], JobExecution)
    case failure(JobFailure)
  }
  var index: Int
  var content: Content
}

/// A run of jobs, as its pool sees it.
protocol PoolRun: Sendable {
  /// Draws up to `count` jobs, no further ahead of the reader than allowed; nil when there are none until the
  /// reader asks for more.
  func draw(_ count: Int, window: Int) -> [DrawnJob]?
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

/// One run of jobs on a process pool.
final class ProcessRun<Jobs: Sequence & Sendable>: PoolRun where Jobs.Element: Job {
  typealias Output = Jobs.Element.Output

  private let source: JobSource<Jobs>
  private let mailbox = Mailbox<RawResult>()
  private let pool: PoolHandle
  private let id: Int
  private let options: RunOptions
  private let slots: Int
  private let cancellation: Cancellation
  private let lookAhead: Atomic<Int>
  private let failing = Mutex<(@Sendable (String) -> JobFailure)?>(nil)

  init(_ jobs: Jobs, options: RunOptions, pool: PoolHandle, slots: Int) {
    source = JobSource(jobs)
    self.options = options
    self.pool = pool
    self.slots = slots
    id = pool.nextRun()
    cancellation = Cancellation(parent: options.cancellation)
    lookAhead = Atomic(options.lookAhead.map { max(1, $0) } ?? 4 * slots)
  }

  // MARK: The pool's side

  var isCancelled: Bool { cancellation.isCancelled }

  var isEnding: Bool { ending != nil }

  func end() { mailbox.close() }

  func fail(_ failure: @escaping @Sendable (String) -> JobFailure) { failing.withLock { $0 = failure } }

  func draw(_ count: Int, window: Int) -> [DrawnJob]? {
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

  func deliver(_ results: [RawResult]) { mailbox.deliver(results) }

  // MARK: The reader's side

  /// Waits for results and decodes them; nil after the last one, or when the reading task is cancelled.
  func nextBatch() async -> [JobResult<Output>]? {
    await withTaskCancellationHandler {
      while true {
        let lookAhead = lookAhead.load(ordering: .relaxed)
        let (reading, loops) = mailbox.read(batchLimit: max(1, lookAhead / 4), lookAhead: lookAhead, slots: 1)
        if loops > 0, !pool.send(.wake(id, self)) { return nil }
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
  func stop() {
    cancellation.cancel()
    mailbox.close()
    pool.send(.look)
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
