import CApusSystem
import Foundation
import Synchronization

/// Parallel loops on borrowed threads, so that a loop costs a wake-up and not a thread.
enum ComputeThreads {
  /// Calls `body` for every index on the caller's thread and up to `threads - 1` borrowed ones.
  ///
  /// Inside a job, or inside another loop, no more threads are used than the caller's share of the CPUs.
  ///
  /// - Parameters:
  ///   - threads: the threads that the loop and all that it calls may keep busy.
  ///   - slots: how many calls of `body` run at once; the threads are divided among them.
  ///   - cancellation: ends the loop between calls.
  static func forEach(
    _ count: Int, threads: Int, slots: Int, _ cancellation: Cancellation,
    _ body: @Sendable (Int) throws -> Void
  ) throws {
    guard slots > 1, count > 1 else { return try plainLoop(count, cancellation, body) }
    let allowed = min(threads, CPUShare.current ?? threads)
    let used = min(allowed, slots, count)
    guard used > 1 else { return try plainLoop(count, cancellation, body) }
    try withoutActuallyEscaping(body) { body in
      let loop = SharedLoop(
        count: count, threads: used, share: max(1, allowed / used), cancellation: cancellation, body: body)
      let helpers = ParkedThread.borrow(used - 1)
      let done = DispatchSemaphore(value: 0)
      for helper in helpers {
        helper.start(named: "apus-compute", elsewhere: true, done: done) {
          loop.run()
          loop.leave()
        }
      }
      loop.run()
      // A thread that is still being woken would find nothing to do.
      let begun = helpers.count { !$0.takeBack() }
      BriefSpin.until { loop.isLeft(by: begun) }
      for _ in 0..<begun { done.wait() }
      ParkedThread.giveBack(helpers)
      if let failure = loop.firstFailure { throw failure }
    }
  }

  private static func plainLoop(
    _ count: Int, _ cancellation: Cancellation, _ body: (Int) throws -> Void
  ) throws {
    for index in 0..<max(0, count) {
      try cancellation.check()
      try body(index)
    }
  }
}

/// One parallel loop: an index that the threads take turns to raise.
///
/// A thread that finds its items tiny raises it by more than one, so that the threads do not spend their time
/// on passing the index around: twice as many each time until they last ``chunkTime``, but never more than a
/// small part of what is left.
private final class SharedLoop: Sendable {
  /// 10 µs: long beside the passing of a cache line (about 0.1 µs).
  private static let chunkTime: Int64 = 10_000

  private let count: Int
  private let share: Int
  private let threads: Int
  private let cancellation: Cancellation
  private let body: @Sendable (Int) throws -> Void
  private let next = Atomic<Int>(0)
  private let failed = Atomic<Bool>(false)
  private let left = Atomic<Int>(0)
  private let failure = Mutex<(index: Int, error: any Error)?>(nil)

  init(
    count: Int, threads: Int, share: Int, cancellation: Cancellation,
    body: @escaping @Sendable (Int) throws -> Void
  ) {
    self.count = count
    self.threads = threads
    self.share = share
    self.cancellation = cancellation
    self.body = body
  }

  /// Says that a borrowed thread has nothing more to do here.
  func leave() { left.wrappingAdd(1, ordering: .releasing) }

  /// Whether so many borrowed threads have left.
  func isLeft(by threads: Int) -> Bool { left.load(ordering: .acquiring) == threads }

  var firstFailure: (any Error)? { failure.withLock { $0?.error } }

  func run() {
    CPUShare.$current.withValue(share) {
      var chunk = 1
      while !failed.load(ordering: .relaxed) {
        let first = next.wrappingAdd(chunk, ordering: .relaxed).oldValue
        guard first < count else { return }
        let end = min(count, first + chunk)
        guard count - end > 8 * threads else {
          run(first..<end)
          chunk = 1
          continue
        }
        let start = capus_monotonic_nanoseconds()
        run(first..<end)
        if capus_monotonic_nanoseconds() - start < Self.chunkTime {
          chunk *= 2
        } else {
          chunk = max(1, chunk / 2)
        }
        chunk = min(chunk, max(1, (count - end) / (8 * threads)))
      }
    }
  }

  private func run(_ indices: Range<Int>) {
    for index in indices where !failed.load(ordering: .relaxed) {
      do {
        try cancellation.check()
        try body(index)
      } catch {
        failure.withLock { if $0 == nil || index < $0!.index { $0 = (index, error) } }
        failed.store(true, ordering: .relaxed)
      }
    }
  }
}
