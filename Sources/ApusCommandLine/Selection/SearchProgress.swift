import Apus
import Synchronization

/// Turns the events of a search into progress on the standard error.
final class SearchProgress: Sendable {
  private struct State {
    var display: ProgressDisplay?
    var refit: WorkDisplay?
    var fits = 0
  }

  private let state = Mutex(State())
  private let rankingMetric: Int

  private let cluster: @Sendable () -> String?

  /// - Parameters:
  ///   - rankingMetric: the position of the metric whose best score is shown.
  ///   - backend: where the fits run; a cluster is shown too.
  init(rankingMetric: Int = 0, backend: any ParallelBackend) {
    self.rankingMetric = rankingMetric
    let dask = backend as? DaskBackend
    cluster = { dask.map { Self.summary($0.status) } }
  }

  /// `4 workers, 8 slots, 2 batches sent again`.
  private static func summary(_ status: ClusterStatus) -> String {
    guard status.isConnected else { return "no answer from the scheduler" }
    let (workers, slots) = (status.workers.count, status.slots)
    var text = "\(workers) worker\(workers == 1 ? "" : "s"), \(slots) slot\(slots == 1 ? "" : "s")"
    if status.retries > 0 { text += ", \(status.retries) sent again" }
    return text
  }

  /// The number of fits that the search was to make.
  var fits: Int { state.withLock { $0.fits } }

  /// Takes an event.
  func handle(_ event: SearchEvent) {
    switch event {
    case .started(_, _, let fits):
      state.withLock { $0 = State(display: ProgressDisplay(total: fits, cluster: cluster), fits: fits) }
    case .restored(let fits, let failures):
      var isFirst = false
      display?.update { state in
        isFirst = state.done == 0
        state.done += fits
        state.restored += fits
        state.failed += failures
      }
      if isFirst {
        let failed =
          failures == 0
          ? "" : " \(failures) of them failed; apus study retry-failed lets the next search make those again."
        Report.note("Continuing: \(fits) of \(self.fits) fits were finished before.\(failed)")
      }
    case .extended(let fits):
      state.withLock { $0.fits = fits }
      display?.update { $0.total = fits }
    case .fitFinished(_, _, _, let failure):
      display?.update { state in
        state.done += 1
        if failure != nil { state.failed += 1 }
      }
    case .candidateFinished(_, _, _, let means, let resource):
      guard means.indices.contains(rankingMetric) else { return }
      display?.update { $0.best.take(means[rankingMetric], resource: resource) }
    case .refitting(_, let progress):
      finish()
      let display = WorkDisplay("Fitting the best candidate on all rows", progress: progress)
      state.withLock { $0.refit = display }
    case .finished: finish()
    }
  }

  /// Takes the progress away; also called when the search has thrown.
  func finish() {
    let (display, refit) = state.withLock { state in
      defer { (state.display, state.refit) = (nil, nil) }
      return (state.display, state.refit)
    }
    display?.finish()
    refit?.finish()
  }

  private var display: ProgressDisplay? { state.withLock { $0.display } }
}
