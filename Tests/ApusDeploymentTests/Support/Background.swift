import Foundation
import Synchronization

/// Work on a thread of its own, whose result is waited for later.
final class Background<Value: Sendable>: Sendable {
  private let outcome = Mutex<Result<Value, any Error>?>(nil)
  private let finished = DispatchSemaphore(value: 0)

  init(_ work: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread { [self] in
      let result = Result { try work() }
      outcome.withLock { $0 = result }
      finished.signal()
    }
  }

  /// Waits for the work; once.
  func result() throws -> Value? {
    finished.wait()
    return try outcome.withLock { $0 }?.get()
  }
}
