import CApusSystem
import Synchronization

/// One run of items on the threads of a pool.
///
/// Tiny items are taken, run and delivered several at a time, so that locks and wake-ups are shared among
/// them: each thread doubles the number it takes until a chunk lasts ``chunkTime``. A chunk that turns out to
/// be long gives back what it has not started, so that no item waits behind a long one while a thread is idle.
final class ThreadRun<Items: Sequence & Sendable, Output: Sendable>: Sendable
where Items.Element: Sendable {
  /// 200 µs: long beside a wake-up (about 10 µs), short beside anything a person waits for.
  private static var chunkTime: Int64 { 200_000 }
  private static var largestChunk: Int { 1024 }
  private static var loopsInAnyCase: Int { 256 }

  private let source: JobSource<Items>
  private let mailbox = Mailbox<JobResult<Output>>()
  private let work: WorkItem<Items.Element, Output>
  private let pool: SlotPool
  private let threadsPerSlot: Int
  private let fixedLookAhead: Int?
  private let cancellation: Cancellation
  private let knownCount: Int
  private let chunkSize = Atomic<Int>(1)

  init(
    _ items: Items, work: WorkItem<Items.Element, Output>, pool: SlotPool, threadsPerSlot: Int,
    lookAhead: Int?, cancellation: Cancellation
  ) {
    source = JobSource(items)
    self.work = work
    self.pool = pool
    self.threadsPerSlot = threadsPerSlot
    fixedLookAhead = lookAhead.map { max(1, $0) }
    self.cancellation = Cancellation(parent: cancellation)
    knownCount = items.underestimatedCount
  }

  /// Four chunks a slot unless the caller chose a number.
  private var lookAhead: Int {
    fixedLookAhead ?? 4 * pool.slotCount * chunkSize.load(ordering: .relaxed)
  }

  // MARK: Reading

  /// Waits for results; nil after the last one, or when the reading task is cancelled.
  func nextBatch() async -> [JobResult<Output>]? {
    await withTaskCancellationHandler {
      while true {
        switch read() {
        case .results(let batch): return batch
        case .nothingYet: await mailbox.waitInTask()
        case .finished: return nil
        }
      }
    } onCancel: {
      stop()
    }
  }

  /// Blocks the calling thread until there are results; nil after the last one.
  func nextBatchBlocking() -> [JobResult<Output>]? {
    while true {
      switch read() {
      case .results(let batch): return batch
      case .nothingYet: mailbox.waitInThread()
      case .finished: return nil
      }
    }
  }

  /// Ends the run: running jobs are asked to stop, and nobody will read what comes.
  func stop() {
    cancellation.cancel()
    mailbox.close()
  }

  private func read() -> Mailbox<JobResult<Output>>.Reading {
    let lookAhead = lookAhead
    let (reading, loops) = mailbox.read(
      batchLimit: max(1, lookAhead / 4), lookAhead: lookAhead, slots: pool.slotCount, starting: mostLoops)
    for _ in 0..<loops { pool.submit { [self] in loop(slot: $0) } }
    return reading
  }

  /// How many loops may begin: of thousands of slots, not many more than there is work for, where that is known. What
  /// is known may be less than there is, so the loops of an ordinary machine begin in any case.
  private var mostLoops: Int {
    knownCount > 0 ? max(knownCount - source.takenCount, Self.loopsInAnyCase) : .max
  }

  // MARK: Working

  private func loop(slot: Int) {
    CPUShare.$current.withValue(threadsPerSlot) {
      let compute = ComputeContext(threads: threadsPerSlot, cancellation: cancellation)
      let worker = "thread \(slot)"
      while let permits = mailbox.permits(wantedCount, lookAhead: lookAhead) {
        let items = source.take(permits.count)
        if items.count < permits.count { mailbox.exhausted(permits, found: items.count) }
        if !items.isEmpty { run(items, compute: compute, worker: worker) }
        if pool.isContended {
          // Another run waits for a slot: go to the end of the queue.
          pool.submit { [self] in loop(slot: $0) }
          return
        }
      }
    }
  }

  private func run(_ items: [JobSource<Items>.Numbered], compute: ComputeContext, worker: String) {
    var results: [JobResult<Output>] = []
    results.reserveCapacity(items.count)
    var stopwatch = JobStopwatch()
    let start = stopwatch.lastEnd
    for (index, item) in items {
      results.append(
        work.run(item, index: index, compute: compute, worker: worker, stopwatch: &stopwatch))
      if stopwatch.lastEnd - start > 4 * Self.chunkTime { break }
    }
    if results.count < items.count {
      source.putBack(items[results.count...])
      mailbox.putBack(items.count - results.count)
    }
    adaptChunk(ran: results.count, of: items.count, in: stopwatch.lastEnd - start)
    mailbox.deliver(results)
  }

  /// How many items the next chunk may have: never so many that one thread takes most of what is left.
  private var wantedCount: Int {
    var count = chunkSize.load(ordering: .relaxed)
    if let fixedLookAhead { count = min(count, max(1, fixedLookAhead / (2 * pool.slotCount))) }
    if knownCount > 0 {
      let left = knownCount - source.takenCount
      count = min(count, max(1, left / (2 * pool.slotCount)))
    }
    return count
  }

  private func adaptChunk(ran: Int, of taken: Int, in nanoseconds: Int64) {
    let size = chunkSize.load(ordering: .relaxed)
    if ran == taken, taken >= size, nanoseconds * 2 <= Self.chunkTime {
      chunkSize.store(min(size * 2, Self.largestChunk), ordering: .relaxed)
    } else if nanoseconds > 2 * Self.chunkTime, size > 1 {
      chunkSize.store(max(1, size / 2), ordering: .relaxed)
    }
  }
}
