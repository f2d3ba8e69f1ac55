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
  static func forEach(
    _ count: Int, threads: Int, slots: Int, _ body: @Sendable (Int) throws -> Void
  ) throws {
    guard slots > 1, count > 1 else { return try plainLoop(count, body) }
    let allowed = min(threads, CPUShare.current ?? threads)
    let used = min(allowed, slots, count)
    guard used > 1 else { return try plainLoop(count, body) }
    try withoutActuallyEscaping(body) { body in
      let loop = SharedLoop(count: count, share: max(1, allowed / used), body: body)
      let helpers = ParkedThread.borrow(used - 1)
      let done = DispatchSemaphore(value: 0)
      for helper in helpers {
        helper.start(named: "apus-compute", done: done) { loop.run() }
      }
      loop.run()
      for _ in helpers { done.wait() }
      ParkedThread.giveBack(helpers)
      if let failure = loop.firstFailure { throw failure }
    }
  }

  private static func plainLoop(_ count: Int, _ body: (Int) throws -> Void) throws {
    for index in 0..<max(0, count) { try body(index) }
  }
}

/// One parallel loop: an index that the threads take turns to raise.
private final class SharedLoop: Sendable {
  private let count: Int
  private let share: Int
  private let body: @Sendable (Int) throws -> Void
  private let next = Atomic<Int>(0)
  private let failed = Atomic<Bool>(false)
  private let failure = Mutex<(index: Int, error: any Error)?>(nil)

  init(count: Int, share: Int, body: @escaping @Sendable (Int) throws -> Void) {
    self.count = count
    self.share = share
    self.body = body
  }

  var firstFailure: (any Error)? { failure.withLock { $0?.error } }

  func run() {
    CPUShare.$current.withValue(share) {
      while !failed.load(ordering: .relaxed) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        do {
          try body(index)
        } catch {
          failure.withLock { if $0 == nil || index < $0!.index { $0 = (index, error) } }
          failed.store(true, ordering: .relaxed)
        }
      }
    }
  }
}
