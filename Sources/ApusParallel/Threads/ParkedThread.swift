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
  private let isAsleep = Atomic<Bool>(false)
  /// The kernel's number of the thread, from its first sleep on.
  private let number = Atomic<Int32>(0)
  /// The CPU that the thread must keep off until it is awake.
  private let avoidedCPU = Atomic<Int32>(-1)
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
      number.store(capus_thread_number(), ordering: .relaxed)
      while true {
        BriefSpin.until { isCalled.load(ordering: .acquiring) }
        isAsleep.store(true, ordering: .releasing)
        wake.wait()
        isAsleep.store(false, ordering: .relaxed)
        let cpu = avoidedCPU.exchange(-1, ordering: .acquiring)
        if cpu >= 0 { capus_allow_cpu(cpu) }
        isCalled.store(false, ordering: .relaxed)
        perform(threadName: &name)?.signal()
      }
    }
    // As deep as a main thread's: recursive learners such as trees run here.
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Wakes the thread to do something; only after the last thing it was given is done, or taken back.
  ///
  /// - Parameters:
  ///   - elsewhere: whether the caller goes on working: kernels like to wake a thread on the CPU of the one that wakes
  ///     it, where it would wait for the caller, and move it to an idle CPU only some milliseconds later.
  ///   - done: signalled when the thread has let go of `body`.
  func start(
    named name: String, elsewhere: Bool = false, done: DispatchSemaphore? = nil,
    _ body: @escaping @Sendable () -> Void
  ) {
    work.withLock { $0 = Work(name: name, body: body, done: done) }
    isCalled.store(true, ordering: .releasing)
    if elsewhere, isAsleep.load(ordering: .acquiring) {
      avoidedCPU.store(
        capus_keep_off_this_cpu(number.load(ordering: .relaxed)), ordering: .releasing)
    }
    wake.signal()
  }

  /// Takes back what the thread was given, unless it has begun; then `done` is not signalled.
  func takeBack() -> Bool {
    work.withLock { work in
      defer { work = nil }
      return work != nil
    }
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
