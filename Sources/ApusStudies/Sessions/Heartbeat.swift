import Dispatch
import Foundation
import Synchronization

/// Does something at intervals, on a thread of its own: a program whose tasks all compute, on every thread that Swift and
/// Dispatch give them, must not look as if it had ended.
final class Heartbeat: Sendable {
  /// What the thread and its owner share; the thread ends with its owner.
  private final class Pulse: Sendable {
    private struct State {
      var hasEnded = false
      var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let cancelled = DispatchSemaphore(value: 0)
    private let state = Mutex(State())

    func cancel() { cancelled.signal() }

    func run(every interval: TimeInterval, _ beat: () -> Void) {
      while cancelled.wait(timeout: .now() + interval) == .timedOut { beat() }
      let waiting = state.withLock { state in
        state.hasEnded = true
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }

    func wait() async {
      await withCheckedContinuation { continuation in
        let hasEnded = state.withLock { state in
          if !state.hasEnded { state.waiting.append(continuation) }
          return state.hasEnded
        }
        if hasEnded { continuation.resume() }
      }
    }
  }

  private let pulse = Pulse()

  init(every interval: TimeInterval, _ beat: @escaping @Sendable () -> Void) {
    let thread = Thread { [pulse] in pulse.run(every: interval, beat) }
    thread.name = "apus.heartbeat"
    thread.start()
  }

  /// No beat begins any more.
  func cancel() { pulse.cancel() }

  /// Cancels, and waits for a beat that has begun.
  func stop() async {
    cancel()
    await pulse.wait()
  }
}
