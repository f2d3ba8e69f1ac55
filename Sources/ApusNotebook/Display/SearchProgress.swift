import ApusML
import ApusParallel
import Foundation
import Synchronization

/// A progress bar for a search in a notebook.
///
/// ```swift
/// let outcome = try await search.run(on: data, backend: backend, onEvent: SearchProgress().show)
/// ```
public final class SearchProgress: Sendable {
  private struct State {
    var fits = 0
    var finished = 0
    var best = BestScore()
    var lastShown = ContinuousClock.now
  }
  private let state = Mutex(State())
  private let id = UUID().uuidString

  /// Creates a bar that is shown with the first event.
  public init() {}

  /// Shows what has happened; at most some ten times a second.
  public func show(_ event: SearchEvent) {
    let text: String? = state.withLock { state in
      switch event {
      case .started(_, _, let fits): state.fits = fits
      case .restored(let fits, _): state.finished += fits
      case .extended(let fits): state.fits = fits
      case .fitFinished: state.finished += 1
      case .candidateFinished(_, _, _, let means, let resource):
        state.best.take(means.first ?? .nan, resource: resource)
      case .refitting, .finished: break
      }
      let isLast = if case .finished = event { true } else { state.finished == 0 }
      guard isLast || ContinuousClock.now - state.lastShown > .milliseconds(100) else { return nil }
      state.lastShown = .now
      let best = state.best.value.map { String(format: ", best %.4f", $0) } ?? ""
      return "<progress value=\"\(state.finished)\" max=\"\(max(1, state.fits))\"></progress> "
        + "\(state.finished) of \(state.fits) fits\(best)"
    }
    if let text { display(HTML(text), id: id) }
  }
}
