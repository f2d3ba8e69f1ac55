import ApusML
import ApusParallel

/// Something to try: a candidate, and how much it gets.
package struct Trial: Sendable {
  /// The place in the results.
  package var index: Int
  package var estimator: AnyEstimator
  /// The hyperparameters that the search varies.
  package var parameters: [String: ParameterValue]
  /// Where the search goes by iterations, which one this is, and the resource.
  package var stage: SearchStage?
  /// Of each fold's training rows, the part `trainRows / all rows` is learnt from; nil for all of them.
  package var trainRows: Int?

  package init(
    index: Int, estimator: AnyEstimator, parameters: [String: ParameterValue], stage: SearchStage? = nil,
    trainRows: Int? = nil
  ) {
    self.index = index
    self.estimator = estimator
    self.parameters = parameters
    self.stage = stage
    self.trainRows = trainRows
  }
}

/// Decides what a search tries next, from what has been found.
///
/// A strategy does no work of its own: it is asked for trials and told their scores, so that it can be tested
/// without fits. What it answers depends on the scores of trials, not on the moment at which they came, unless
/// ``dependsOnOrder`` says so; then its decisions are kept in the study and repeated from there.
package protocol SearchStrategy: Sendable {
  /// Whether answers depend on the order in which scores were told.
  var dependsOnOrder: Bool { get }

  /// The trials that may begin now; none when scores must come first, or nothing is left.
  ///
  /// - Parameter count: how many are wanted at least, if there are so many.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a candidate that cannot be made.
  mutating func ask(_ count: Int) throws -> [Trial]

  /// Takes the mean score of a trial; NaN when it failed or was given up.
  mutating func tell(_ trial: Trial, score: Double)

  /// Trials that are expected from first to last, as far as it can be known.
  var expectedTrials: Int { get }

  /// The most of a resource that a trial can get; nil where there is no resource. Scores with less of it end no search:
  /// they are not to be compared with those that results are ranked by.
  var mostResource: Int? { get }

  /// The trial of a decision that was kept; the strategy goes on as if it had been asked for it.
  ///
  /// - Throws: ``ApusError`` of kind `format` for a decision that this strategy cannot have made.
  mutating func repeating(_ decision: TrialDecision) throws -> Trial
}

extension SearchStrategy {
  package var dependsOnOrder: Bool { false }

  package var mostResource: Int? { nil }

  package mutating func repeating(_ decision: TrialDecision) throws -> Trial {
    throw ApusError(.format, "this search keeps no decisions")
  }
}

/// A decision as it is kept in a study's log.
package struct TrialDecision: Sendable, Hashable, Codable {
  /// The number of the candidate.
  package var candidate: Int
  /// The iteration, where there are any.
  package var iteration: Int?

  package init(candidate: Int, iteration: Int? = nil) {
    self.candidate = candidate
    self.iteration = iteration
  }
}
