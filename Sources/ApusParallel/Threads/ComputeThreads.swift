import CApusSystem
import Foundation
import Synchronization

/// A set of parked threads that short parallel loops borrow, so that a loop costs a wake-up and not a thread.
///
/// Threads are made when first needed and live as long as the process. They are plain threads, not those of
/// Swift's cooperative pool, which long computations would starve.
final class ComputeThreads: Sendable {
  static let shared = ComputeThreads()

  private let idle = Mutex<[ParkedThread]>([])

  /// Calls `body` for every index on the caller's thread and up to `threads - 1` borrowed ones.
  func forEach(_ count: Int, threads: Int, _ body: @Sendable (Int) throws -> Void) throws {
    let helperCount = min(threads, count) - 1
    guard helperCount > 0 else {
      for index in 0..<max(0, count) { try body(index) }
      return
    }
    try withoutActuallyEscaping(body) { body in
      let loop = SharedLoop(count: count, body: body)
      let helpers = borrow(helperCount)
      for helper in helpers { helper.start { loop.run() } }
      loop.run()
      for helper in helpers { helper.wait() }
      giveBack(helpers)
      if let failure = loop.firstFailure { throw failure }
    }
  }

  private func borrow(_ count: Int) -> [ParkedThread] {
    let reused = idle.withLock { idle in
      let taken = Array(idle.suffix(count))
      idle.removeLast(taken.count)
      return taken
    }
    return reused + (reused.count..<count).map { _ in ParkedThread() }
  }

  private func giveBack(_ threads: [ParkedThread]) {
    idle.withLock { $0.append(contentsOf: threads) }
  }
}

/// One parallel loop: an index that the threads take turns to raise.
private final class SharedLoop: Sendable {
  private let count: Int
  private let body: @Sendable (Int) throws -> Void
  private let next = Atomic<Int>(0)
  private let failed = Atomic<Bool>(false)
  private let failure = Mutex<(index: Int, error: any Error)?>(nil)

  init(count: Int, body: @escaping @Sendable (Int) throws -> Void) {
    self.count = count
    self.body = body
  }

  var firstFailure: (any Error)? { failure.withLock { $0?.error } }

  func run() {
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

/// A thread that sleeps until it is given something to do.
private final class ParkedThread: Sendable {
  private let wake = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)
  private let work = Mutex<(@Sendable () -> Void)?>(nil)

  init() {
    let thread = Thread { [self] in
      capus_set_thread_name("apus-compute")
      while true {
        wake.wait()
        work.withLock { work in
          let taken = work
          work = nil
          return taken
        }?()
        done.signal()
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  func start(_ body: @escaping @Sendable () -> Void) {
    work.withLock { $0 = body }
    wake.signal()
  }

  func wait() { done.wait() }
}
