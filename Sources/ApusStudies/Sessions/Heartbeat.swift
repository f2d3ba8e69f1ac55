import Dispatch
import Foundation

/// Does something at intervals, on a thread that Swift's tasks cannot keep busy: a program whose tasks all compute
/// must not look as if it had ended.
final class Heartbeat: Sendable {
  private let queue = DispatchQueue(label: "apus.heartbeat", qos: .userInitiated)
  // Set up before anybody else sees it; `cancel` may be called from any thread.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  init(every interval: TimeInterval, _ beat: @escaping @Sendable () -> Void) {
    timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + interval, repeating: interval)
    timer.setEventHandler(handler: beat)
    timer.activate()
  }

  /// No beat begins any more.
  func cancel() { timer.cancel() }

  /// Cancels, and waits for a beat that has begun.
  func stop() async {
    cancel()
    await withCheckedContinuation { done in queue.async { done.resume() } }
  }
}
