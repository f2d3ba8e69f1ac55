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

  /// Signalled once for each time that a call finds the thread asleep: a thread that is awake, or nearly asleep, must not
  /// pass through a semaphore, where it would sleep until its signal comes.
  private let wake = DispatchSemaphore(value: 0)
  private let state = Atomic<State>(.idle)
  private let isFinished = Atomic<Bool>(true)
  /// The kernel's number of the thread, from its first sleep on.
  private let number = Atomic<Int32>(0)
  /// The CPU that the thread must keep off until it is awake.
  private let avoidedCPU = Atomic<Int32>(-1)
  private let work = Mutex<Work?>(nil)

  private enum State: UInt8, AtomicRepresentable {
    case idle, called, asleep
  }

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
        BriefSpin.until { state.load(ordering: .relaxed) == .called }
        let (fallsAsleep, _) = state.compareExchange(
          expected: .idle, desired: .asleep, ordering: .acquiringAndReleasing)
        if fallsAsleep {
          wake.wait()
          let cpu = avoidedCPU.exchange(-1, ordering: .acquiring)
          if cpu >= 0 { capus_allow_cpu(cpu) }
        }
        // Before the work is looked for: a call that comes now is seen there, or in the next round.
        state.store(.idle, ordering: .sequentiallyConsistent)
        if let done = perform(threadName: &name) {
          isFinished.store(true, ordering: .releasing)
          done.signal()
        }
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
  ///   - done: signalled when the thread has let go of `body`, and ``hasFinished`` is true.
  func start(
    named name: String, elsewhere: Bool = false, done: DispatchSemaphore? = nil,
    _ body: @escaping @Sendable () -> Void
  ) {
    isFinished.store(false, ordering: .relaxed)
    work.withLock { $0 = Work(name: name, body: body, done: done) }
    guard state.exchange(.called, ordering: .sequentiallyConsistent) == .asleep else { return }
    if elsewhere {
      avoidedCPU.store(
        capus_keep_off_this_cpu(number.load(ordering: .relaxed)), ordering: .releasing)
    }
    wake.signal()
  }

  /// Whether the thread has let go of what it was given with a semaphore to signal.
  var hasFinished: Bool { isFinished.load(ordering: .acquiring) }

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
