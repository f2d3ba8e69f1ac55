import Apus

/// How far a piece of work has come.
package struct ProgressState: Sendable, Equatable {
  /// Fits that are finished, failed ones included.
  package var done: Int
  /// Those of the finished fits that were finished before the work began.
  package var restored = 0
  /// Fits there will be.
  package var total: Int
  /// Fits that failed.
  package var failed: Int
  /// The best score so far.
  package var best: BestScore
  /// Whether nothing more will be done.
  package var hasEnded = false
  /// Seconds since the work began.
  package var elapsed: Double
  /// What there is to say of the cluster that does the work; nil on this machine alone.
  package var cluster: String?

  /// Creates a state.
  package init(done: Int = 0, total: Int, failed: Int = 0, best: Double? = nil, elapsed: Double = 0) {
    self.done = done
    self.total = total
    self.failed = failed
    self.best = BestScore(best)
    self.elapsed = elapsed
  }

  /// Fits finished a second; nil before there is one.
  package var rate: Double? { done > restored && elapsed > 0 ? Double(done - restored) / elapsed : nil }

  /// Seconds that are left if the rate stays the same; nil before anything is finished, and after the end.
  package var secondsLeft: Double? { hasEnded ? nil : rate.map { Double(max(0, total - done)) / $0 } }

  /// The finished part, from 0 to 1.
  package var fraction: Double { total > 0 ? min(1, Double(done) / Double(total)) : 1 }
}
