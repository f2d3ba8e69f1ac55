import ApusParallel

/// Gives a candidate up before it was tried on every fold, when it is very probably worse than the best so far.
///
/// After each fold, the candidate's scores are compared with those of the best on the same folds, by the
/// corrected resampled t-test (Nadeau and Bengio, 2003). A candidate that was given up has no mean score and is
/// never chosen. Candidate n is compared with the best of the first n − `lag` + 1 candidates, so the same
/// candidates are given up however many fits run at once.
public struct Racing: Sendable, Hashable {
  /// Folds that every candidate is tried on.
  public var fewestFolds: Int
  /// How sure one must be that a candidate is worse.
  public var confidence: Double
  /// Candidates that may be under way at once.
  public var lag: Int

  /// Creates a rule; 2 folds, 95 %, 8 candidates unless given.
  public init(fewestFolds: Int = 2, confidence: Double = 0.95, lag: Int = 8) {
    self.fewestFolds = fewestFolds
    self.confidence = confidence
    self.lag = lag
  }

  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func validate() throws {
    guard fewestFolds >= 2, confidence > 0.5, confidence < 1, lag >= 1 else {
      throw ApusError(
        .invalidParameter,
        "racing needs at least 2 folds, a confidence between 0.5 and 1, and a candidate at a time")
    }
  }

  /// Whether scores on the first folds are hopeless beside those of the best.
  func isHopeless(_ scores: [Double], beside best: [Double], testRatio: Double) -> Bool {
    let differences = zip(scores, best).map { $0 - $1 }
    guard differences.count >= fewestFolds, differences.allSatisfy({ !$0.isNaN }) else { return false }
    let test = CorrectedResampledTTest(differences: differences, testRatio: testRatio)
    guard test.mean < 0 else { return false }
    // One-sided: the difference's upper bound is below zero.
    let bound = StudentDistribution(degreesOfFreedom: Double(differences.count - 1)).quantile(confidence)
    return test.mean + bound * test.standardError < 0
  }
}
