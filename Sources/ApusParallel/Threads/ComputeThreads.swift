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
  ///   - inOrder: whether indices are handed out in ascending order, rather than to each thread from a part of its own.
  ///   - cancellation: ends the loop between calls.
  static func forEach(
    _ count: Int, threads: Int, slots: Int, inOrder: Bool, _ cancellation: Cancellation,
    _ body: @Sendable (Int) throws -> Void
  ) throws {
    guard slots > 1, count > 1 else { return try plainLoop(count, cancellation, body) }
    let allowed = min(threads, CPUShare.current ?? threads)
    let used = min(allowed, slots, count)
    guard used > 1 else { return try plainLoop(count, cancellation, body) }
    try withoutActuallyEscaping(body) { body in
      let loop = SharedLoop(
        count: count, threads: used, inOrder: inOrder, share: max(1, allowed / used),
        cancellation: cancellation, body: body)
      let helpers = ParkedThread.borrow(used - 1)
      let done = DispatchSemaphore(value: 0)
      for (index, helper) in helpers.enumerated() {
        helper.start(named: "apus-compute", elsewhere: true, done: done) { loop.run(thread: index + 1) }
      }
      loop.run(thread: 0)
      // A thread that is still being woken would find nothing to do.
      let begun = helpers.filter { !$0.takeBack() }
      BriefSpin.until { begun.allSatisfy(\.hasFinished) }
      while !begun.allSatisfy(\.hasFinished) { done.wait() }
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

/// One parallel loop: indices that the threads take turns to raise.
///
/// Each thread begins with a part of the loop that is its own, and then helps with the others'. An iterative algorithm,
/// which runs the same loop again and again, so finds the data of each part in the cache of the thread that had it the last
/// time: where CPUs share no cache, k-means took twice the time without.
///
/// A thread that finds its items tiny raises an index by more than one, so that the threads do not spend their time
/// on passing it around: twice as many each time until they last ``chunkTime``, but never more than a
/// small part of what is left.
private final class SharedLoop: Sendable {
  /// 10 µs: long beside the passing of a cache line (about 0.1 µs).
  private static let chunkTime: Int64 = 10_000

  /// Indices that follow each other.
  private final class Part: Sendable {
    let next: Atomic<Int>
    let end: Int

    init(_ indices: Range<Int>) {
      next = Atomic(indices.lowerBound)
      end = indices.upperBound
    }
  }

  private let parts: [Part]
  private let share: Int
  /// A thread takes several indices at a time only where this many are left for the others.
  private let reserve: Int
  private let cancellation: Cancellation
  private let body: @Sendable (Int) throws -> Void
  private let failed = Atomic<Bool>(false)
  private let failure = Mutex<(index: Int, error: any Error)?>(nil)

  init(
    count: Int, threads: Int, inOrder: Bool, share: Int, cancellation: Cancellation,
    body: @escaping @Sendable (Int) throws -> Void
  ) {
    let partCount = inOrder ? 1 : threads
    parts = (0..<partCount).map { Part(count * $0 / partCount..<count * ($0 + 1) / partCount) }
    reserve = 8 * threads / partCount
    self.share = share
    self.cancellation = cancellation
    self.body = body
  }

  var firstFailure: (any Error)? { failure.withLock { $0?.error } }

  func run(thread: Int) {
    CPUShare.$current.withValue(share) {
      for offset in 0..<parts.count { run(parts[(thread + offset) % parts.count]) }
    }
  }

  private func run(_ part: Part) {
    var chunk = 1
    while !failed.load(ordering: .relaxed) {
      let first = part.next.wrappingAdd(chunk, ordering: .relaxed).oldValue
      guard first < part.end else { return }
      let end = min(part.end, first + chunk)
      guard part.end - end > reserve else {
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
      chunk = min(chunk, max(1, (part.end - end) / reserve))
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
