import ApusParallel

/// A candidate that was tried on a fold: its scores, or why there are none.
package struct TriedFit: Sendable, Hashable {
  package var scores: FitScores
  /// The sort of failure, where there are no scores.
  package var reason: JobFailure.Reason?
  /// The worker that it ran on, where one is known.
  package var worker: String?

  package init(scores: FitScores, reason: JobFailure.Reason? = nil, worker: String? = nil) {
    self.scores = scores
    self.reason = reason
    self.worker = worker
  }

  /// Whether the fit says something about its candidate; one that was lost does not, and is worth repeating.
  package var isConclusive: Bool {
    switch reason {
    case nil, .threw, .trapped, .outOfMemory, .timedOut: true
    case .lost, .cancelled, .notRegistered: false
    }
  }
}

extension JobOutcome<[FitScores]> {
  /// What became of each candidate of a job; none of them was tried when it was cancelled.
  package func fits(_ count: Int) -> [TriedFit] {
    switch self {
    case .success(let scores, let execution):
      return scores.map {
        TriedFit(scores: $0, reason: $0.failure == nil ? nil : .threw, worker: execution.worker)
      }
    case .failure(let failure):
      guard failure.reason != .cancelled else { return [] }
      let fit = TriedFit(
        scores: FitScores(failure: failure.message), reason: failure.reason, worker: failure.worker)
      return [TriedFit](repeating: fit, count: count)
    }
  }
}
