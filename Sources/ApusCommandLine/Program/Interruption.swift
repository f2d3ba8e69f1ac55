import Apus
import Dispatch
import Foundation
import Synchronization

/// Turns the first Ctrl-C (or `SIGTERM`) into a cancellation, so that the work ends with what it has; the
/// second one ends the program at once.
final class Interruption: Sendable {
  static let shared = Interruption()

  /// Raised by the first signal.
  let cancellation = Cancellation()

  private struct State {
    var signal: Int32?
    var keepsFinishedParts = true
    var sources: [any DispatchSourceSignal] = []
  }
  private let state = Mutex(State())

  /// How long a command without parts to keep waits for steps that cannot be interrupted, such as the decomposition of a
  /// large matrix.
  private static let patience = DispatchTimeInterval.seconds(2)

  private init() {}

  /// The signal that asked the program to stop, if one did.
  var signal: Int32? { state.withLock { $0.signal } }

  /// Whether a signal asked the program to stop.
  var isRaised: Bool { signal != nil }

  /// Starts to listen; called by commands whose work takes time.
  ///
  /// - Parameter keepsFinishedParts: whether the work is in parts, such as fits of a search, of which those that are
  ///   finished are told or kept. Otherwise the program ends soon, whatever it does.
  func listen(keepsFinishedParts: Bool) {
    state.withLock { state in
      state.keepsFinishedParts = keepsFinishedParts
      guard state.sources.isEmpty else { return }
      state.sources = [SIGINT, SIGTERM].map { number in
        Foundation.signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
        source.setEventHandler { [self] in received(number) }
        source.resume()
        return source
      }
    }
  }

  private func received(_ number: Int32) {
    let isFirst = state.withLock { state in
      defer { state.signal = state.signal ?? number }
      return state.signal == nil
    }
    guard isFirst else { return end(number) }
    cancellation.cancel()
    if state.withLock({ $0.keepsFinishedParts }) {
      Report.note("Stopping with what is finished; interrupt once more to stop at once.")
    } else {
      DispatchQueue.global(qos: .userInitiated).asyncAfter(deadline: .now() + Self.patience) { [self] in
        end(number)
      }
    }
  }

  /// Ends the program as the signal would have ended it.
  private func end(_ number: Int32) {
    Report.line("")
    Foundation.signal(number, SIG_DFL)
    kill(getpid(), number)
  }
}
