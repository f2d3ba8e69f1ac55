import ApusParallel
import Foundation

/// A candidate that was tried on a fold: its scores, or why there are none.
package struct TriedFit: Sendable, Hashable {
  package var scores: FitScores
  /// The sort of failure, where there are no scores.
  package var reason: JobFailure.Reason?
  /// The worker that it ran on, where one is known.
  package var worker: String?
  /// When it ended, as far as this process can tell: in seconds since 1970.
  package var finished: Double

  package init(
    scores: FitScores, reason: JobFailure.Reason? = nil, worker: String? = nil,
    finished: Double = Date().timeIntervalSince1970
  ) {
    self.scores = scores
    self.reason = reason
    self.worker = worker
    self.finished = finished
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
  /// What became of each candidate of a job that has just ended; none of them was tried when it was cancelled.
  ///
  /// Candidates of a job are fitted one after the other, so that each but the last ended when the next began.
  package func fits(_ count: Int) -> [TriedFit] {
    let now = Date().timeIntervalSince1970
    switch self {
    case .success(let scores, let execution):
      var end = now
      var fits = scores.reversed().map { score in
        let seconds = score.fitSeconds + score.scoreSeconds
        defer { if seconds.isFinite { end -= seconds } }
        return TriedFit(
          scores: score, reason: score.failure == nil ? nil : .threw, worker: execution.worker, finished: end)
      }
      fits.reverse()
      return fits
    case .failure(let failure):
      guard failure.reason != .cancelled else { return [] }
      let fit = TriedFit(
        scores: FitScores(failure: failure.message), reason: failure.reason, worker: failure.worker,
        finished: now)
      return [TriedFit](repeating: fit, count: count)
    }
  }
}
