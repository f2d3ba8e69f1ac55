import ApusParallel
import Foundation

/// Jobs that wait in a worker, between the thread that reads them and the one that runs them.
///
/// Unchecked Sendable: everything is read and written with the condition's lock held.
final class WorkQueue: @unchecked Sendable {
  private let condition = NSCondition()
  private var waiting: [JobMessage] = []
  private var first = 0
  private var running: (id: UInt64, cancellation: Cancellation)?

  /// Adds jobs.
  func add(_ jobs: [JobMessage]) {
    condition.lock()
    defer { condition.unlock() }
    waiting.append(contentsOf: jobs)
    condition.signal()
  }

  /// Takes jobs out that wait, and says which those were; asks the running one to stop if it is meant too.
  func cancel(_ ids: Set<UInt64>, stopsRunning: Bool) -> [UInt64] {
    condition.lock()
    defer { condition.unlock() }
    if stopsRunning, let running, ids.contains(running.id) { running.cancellation.cancel() }
    let removed = waiting[first...].filter { ids.contains($0.id) }.map(\.id)
    waiting = waiting[first...].filter { !ids.contains($0.id) }
    first = 0
    return removed
  }

  /// Waits for the next job; with the flag that stops it.
  func next() -> (job: JobMessage, cancellation: Cancellation) {
    condition.lock()
    defer { condition.unlock() }
    while first == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      first = 0
      condition.wait()
    }
    let job = waiting[first]
    first += 1
    let cancellation = Cancellation()
    running = (job.id, cancellation)
    return (job, cancellation)
  }

  /// Notes that the running job has ended; true when no other waits.
  func finish() -> Bool {
    condition.lock()
    defer { condition.unlock() }
    running = nil
    return first == waiting.count
  }
}
