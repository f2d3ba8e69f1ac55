import Foundation
import Synchronization

// What the kernel writes into cells. The names begin with an underscore: they are not for people.

/// The cell that runs: its task, if it waits for one, and how far it came.
package final class CellProgress: Sendable {
  package static let current = CellProgress()

  private struct State {
    var task: Task<Void, Never>?
    var isInterrupted = false
    var reached = -1
  }
  private let state = Mutex(State())

  /// Begins a cell.
  package func begin() { state.withLock { $0 = State() } }
  /// The last statement that was finished; -1 when none was.
  package var reached: Int { state.withLock(\.reached) }
  /// Whether the user has asked for the end.
  package var isInterrupted: Bool { state.withLock(\.isInterrupted) }

  /// Asks the cell to end: its task is cancelled.
  package func interrupt() {
    let task = state.withLock { state in
      state.isInterrupted = true
      return state.task
    }
    task?.cancel()
  }

  func reach(_ statement: Int) { state.withLock { $0.reached = statement } }
  func wait(for task: Task<Void, Never>?) { state.withLock { $0.task = task } }
}

/// Notes that a statement of the cell is finished.
public func _apusReached(_ statement: Int) { CellProgress.current.reach(statement) }

/// Shows the value of a cell's last expression.
public func _apusShow<Value>(_ value: Value) {
  CellOutput.shared.send(.init(data: notebookData(of: value), isResult: true, id: nil))
}

/// A last expression without a value shows nothing.
public func _apusShow(_ value: Void) {}

/// Nor does a call that may not have been made.
public func _apusShow(_ value: Void?) {}

/// Waits on the cell's own thread for asynchronous work.
///
/// - Throws: what the work throws; `CancellationError` when it goes on for two seconds after an interrupt, in
///   which case it is left alone.
public func _apusAwait<Value>(_ work: @escaping () async throws -> Value) throws -> Value {
  // The closure and its value are used by one thread at a time: the cell's waits until the task is done.
  nonisolated(unsafe) let work = work
  let answer = Answer<Value>()
  let task = Task.detached {
    do { answer.value = .success(try await work()) } catch { answer.value = .failure(error) }
    answer.isThere.signal()
  }
  CellProgress.current.wait(for: task)
  defer { CellProgress.current.wait(for: nil) }
  var patience = 20
  while answer.isThere.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
    guard CellProgress.current.isInterrupted else { continue }
    patience -= 1
    if patience == 0 { throw CancellationError() }
  }
  guard let value = answer.value else { throw CancellationError() }
  return try value.get()
}

/// Unchecked Sendable: the semaphore orders the one write before the one read.
private final class Answer<Value>: @unchecked Sendable {
  let isThere = DispatchSemaphore(value: 0)
  var value: Result<Value, any Error>?
}
