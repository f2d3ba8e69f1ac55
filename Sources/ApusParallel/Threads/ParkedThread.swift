import CApusSystem
import Foundation
import Synchronization

/// A thread that sleeps until it is given something to do, and sleeps again afterwards.
///
/// Threads are plain ones, not those of Swift's cooperative pool, which long computations would starve. They
/// are kept and used again: waking one costs some microseconds, making one some tens. For a moment after its work a
/// thread stays awake, since iterative algorithms run one short loop after another.
final class ParkedThread: Sendable {
  private static let idle = Mutex<[ParkedThread]>([])

  private let wake = DispatchSemaphore(value: 0)
  private let isCalled = Atomic<Bool>(false)
  private let work = Mutex<Work?>(nil)

  private struct Work {
    var name: String
    var body: @Sendable () -> Void
    var done: DispatchSemaphore?
  }

  /// Takes sleeping threads, and makes what is missing.
  static func borrow(_ count: Int) -> [ParkedThread] {
    let reused = idle.withLock { idle in
      let taken = Array(idle.suffix(count))
      idle.removeLast(taken.count)
      return taken
    }
    return reused + (reused.count..<count).map { _ in ParkedThread() }
  }

  /// Returns threads that have nothing more to do.
  static func giveBack(_ threads: [ParkedThread]) {
    idle.withLock { $0.append(contentsOf: threads) }
  }

  private init() {
    let thread = Thread { [self] in
      var name = ""
      while true {
        BriefSpin.until { isCalled.load(ordering: .acquiring) }
        wake.wait()
        isCalled.store(false, ordering: .relaxed)
        perform(threadName: &name)?.signal()
      }
    }
    // As deep as a main thread's: recursive learners such as trees run here.
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Wakes the thread to do something; only after the last thing it was given is done.
  ///
  /// - Parameter done: signalled when the thread has let go of `body`.
  func start(
    named name: String, done: DispatchSemaphore? = nil, _ body: @escaping @Sendable () -> Void
  ) {
    work.withLock { $0 = Work(name: name, body: body, done: done) }
    isCalled.store(true, ordering: .releasing)
    wake.signal()
  }

  // A function of its own that is never inlined, so that `body` is released before anyone is told.
  @inline(never)
  private func perform(threadName: inout String) -> DispatchSemaphore? {
    let taken = work.withLock { work in
      defer { work = nil }
      return work
    }
    guard let taken else { return nil }
    if taken.name != threadName {
      threadName = taken.name
      capus_set_thread_name(threadName)
    }
    taken.body()
    return taken.done
  }
}
