import ApusParallel

/// What a search found: a row a candidate, what failed, and what did not converge.
///
/// Column names in tables are those of scikit-learn's `cv_results_`.
public struct SearchResults: Sendable, Hashable, Codable {
  /// The names of the metrics, in the order in which they were asked for.
  public var metrics: [String]
  /// The number of splits.
  public var foldCount: Int
  /// The metric that ``best`` goes by.
  public var refitMetric: String
  /// A row for each candidate of which a fold was finished, in the order of the search.
  public var candidates: [CandidateResult]
  /// The fits that failed.
  public var failures: [FitFailure]
  /// Whether every fit was tried; false when the search was cancelled.
  public var isComplete: Bool

  /// Which candidate is fitted on all rows.
  public var choice: CandidateChoice
  /// Scored rows to learning rows, on average over the splits; comparisons of candidates need it.
  public var testRatio: Double
  /// Why the search ended before everything was tried, where a rule of its own ended it.
  public var stopReason: String?

  package init(
    metrics: [String], foldCount: Int, refitMetric: String, candidates: [CandidateResult],
    failures: [FitFailure], isComplete: Bool, choice: CandidateChoice = .highestMean,
    testRatio: Double = .nan, stopReason: String? = nil
  ) {
    self.metrics = metrics
    self.foldCount = foldCount
    self.refitMetric = refitMetric
    self.candidates = candidates
    self.failures = failures
    self.isComplete = isComplete
    self.choice = choice
    self.testRatio = testRatio
    self.stopReason = stopReason
  }

  /// The best candidate: the first of those with the highest mean score of the refit metric; nil when no
  /// candidate has scores on every fold.
  ///
  /// Where candidates got different amounts of a resource, those with the most are compared.
  public var best: CandidateResult? {
    guard let metric = metrics.firstIndex(of: refitMetric) else { return nil }
    var best: CandidateResult?
    func key(_ candidate: CandidateResult) -> (Int, Double) {
      (candidate.stage?.resource ?? 0, candidate.scores[metric].mean)
    }
    for candidate in candidates where !candidate.scores[metric].mean.isNaN {
      if best.map({ key(candidate) > key($0) }) ?? true { best = candidate }
    }
    return best
  }

  /// The candidate that is fitted on all rows; see ``choice``.
  public var chosen: CandidateResult? { choice.candidate(of: self) }

  /// The candidates, best first by the refit metric; those without a score come last.
  public var ranked: [CandidateResult] {
    guard let metric = metrics.firstIndex(of: refitMetric) else { return candidates }
    return candidates.sorted {
      ($0.scores[metric].rank, $0.index) < ($1.scores[metric].rank, $1.index)
    }
  }

  /// The number of fits that ended at their limit of iterations rather than their tolerance.
  public var unconvergedFitCount: Int { candidates.reduce(0) { $0 + $1.unconvergedFolds.count } }
}

/// One candidate of a search with its scores.
public struct CandidateResult: Sendable, Hashable, Codable {
  /// The candidate's number in the search, from 0.
  public var index: Int
  /// The estimator with all its hyperparameters.
  public var estimator: AnyEstimator
  /// The hyperparameters that the search varied.
  public var parameters: [String: ParameterValue]
  /// Where a search goes by iterations, the iteration and the resource; a candidate then has a result for each.
  public var stage: SearchStage?
  /// The scores of each metric, in the order of the search's metrics.
  public var scores: [MetricResult]
  /// The wall-clock time of each fold's fit; NaN where there was none.
  public var fitSeconds: [Double]
  /// The wall-clock time of each fold's scoring; NaN where there was none.
  public var scoreSeconds: [Double]
  /// The folds whose fit did not reach its tolerance, with how it ended.
  public var unconvergedFolds: [Int: Convergence]
  /// The most iterations of a fold's fit; nil where no fit iterated towards a tolerance.
  public var mostIterations: Int?
  /// The largest number that a fold's fit ended with in place of its tolerance; nil as ``mostIterations`` is.
  public var largestResidual: Double?

  package init(
    index: Int, estimator: AnyEstimator, parameters: [String: ParameterValue], stage: SearchStage? = nil,
    scores: [MetricResult], fitSeconds: [Double], scoreSeconds: [Double], ends: FitEnds
  ) {
    self.index = index
    self.estimator = estimator
    self.parameters = parameters
    self.stage = stage
    self.scores = scores
    self.fitSeconds = fitSeconds
    self.scoreSeconds = scoreSeconds
    unconvergedFolds = ends.unconvergedFolds
    mostIterations = ends.mostIterations
    largestResidual = ends.largestResidual
  }

  /// The scores of a metric by name.
  public func score(of metric: String) -> MetricResult? { scores.first { $0.metric == metric } }
}

/// How the fits of a candidate ended, as they come in.
package struct FitEnds: Sendable {
  package private(set) var unconvergedFolds: [Int: Convergence] = [:]
  package private(set) var mostIterations: Int?
  package private(set) var largestResidual: Double?

  package init() {}

  /// Takes the ends of all folds in order; nil where a fit did not iterate, failed or was not made.
  package init(_ ends: some Sequence<Convergence?>) {
    for (fold, end) in ends.enumerated() {
      if let end { enter(end, fold: fold) }
    }
  }

  /// Enters how the fit of a fold ended.
  package mutating func enter(_ end: Convergence, fold: Int) {
    mostIterations = max(mostIterations ?? 0, end.iterations)
    // A residual that is not a number is the worst of all, and stays.
    if let largest = largestResidual {
      largestResidual = largest >= end.residual || largest.isNaN ? largest : end.residual
    } else {
      largestResidual = end.residual
    }
    if !end.converged { unconvergedFolds[fold] = end }
  }
}

/// An iteration of a search that eliminates candidates.
public struct SearchStage: Sendable, Hashable, Codable {
  /// The number of the candidate that got the resource, from 0.
  public var candidate: Int
  /// The iteration, from 0.
  public var iteration: Int
  /// The resource: rows of the data set, or the value of a hyperparameter.
  public var resource: Int

  package init(candidate: Int, iteration: Int, resource: Int) {
    self.candidate = candidate
    self.iteration = iteration
    self.resource = resource
  }
}

/// The scores of one candidate by one metric.
public struct MetricResult: Sendable, Hashable, Codable {
  /// The metric's name.
  public var metric: String
  /// The score on each fold's test rows; NaN where the fit failed or was not made.
  public var test: [Double]
  /// The score on each fold's training rows, where asked for.
  public var train: [Double]?
  /// The mean over the folds; NaN when any fold has no score.
  public var mean: Double
  /// The standard deviation over the folds, with divisor k.
  public var standardDeviation: Double
  /// The place among all candidates, from 1; equal means share the smallest place, NaN comes last.
  public var rank: Int

  /// Takes the scores of the folds; the rank is set when all candidates are known.
  package init(metric: String, test: [Double], train: [Double]?) {
    self.metric = metric
    self.test = test
    self.train = train
    (mean, standardDeviation) = meanAndDeviation(test)
    rank = 0
  }
}

/// A fit that has no scores.
public struct FitFailure: Sendable, Hashable, Codable {
  /// The candidate's number in the search, from 0.
  public var candidate: Int
  /// The fold's number, from 0.
  public var fold: Int
  /// The estimator's name.
  public var estimator: String
  /// The hyperparameters that the search varied.
  public var parameters: [String: ParameterValue]
  /// The worker that the fit ran on, where one is known.
  public var worker: String?
  /// The sort of failure.
  public var reason: JobFailure.Reason
  /// What happened, for a person to read.
  public var message: String

  package init(
    candidate: Int, fold: Int, estimator: String, parameters: [String: ParameterValue], worker: String?,
    reason: JobFailure.Reason, message: String
  ) {
    self.candidate = candidate
    self.fold = fold
    self.estimator = estimator
    self.parameters = parameters
    self.worker = worker
    self.reason = reason
    self.message = message
  }
}

extension [CandidateResult] {
  /// Gives each candidate its place by each metric: first those with the most of the resource, where there is
  /// one.
  package mutating func rank(metrics: Range<Int>) {
    for metric in metrics {
      let order = indices.sorted { (self[$0].stage?.resource ?? 0) > (self[$1].stage?.resource ?? 0) }
      var start = 0
      while start < order.count {
        let resource = self[order[start]].stage?.resource
        let group = order[start...].prefix { self[$0].stage?.resource == resource }
        for (index, rank) in zip(group, ranks(of: group.map { self[$0].scores[metric].mean })) {
          self[index].scores[metric].rank = start + rank
        }
        start += group.count
      }
    }
  }
}

/// The mean and the standard deviation with divisor n, summed in order.
package func meanAndDeviation(_ values: [Double]) -> (mean: Double, deviation: Double) {
  let count = Double(values.count)
  var sum = 0.0
  for value in values { sum += value }
  let mean = sum / count
  var squares = 0.0
  for value in values { squares += (value - mean) * (value - mean) }
  return (mean, (squares / count).squareRoot())
}

/// Places from 1 by descending value: equal values share the smallest place; NaN comes last, and everything
/// is first when all are NaN, as in scikit-learn.
package func ranks(of values: [Double]) -> [Int] {
  let keys = values.map { $0.isNaN ? -Double.infinity : $0 }
  let order = keys.indices.sorted { keys[$0] > keys[$1] }
  var ranks = [Int](repeating: 1, count: keys.count)
  for (position, index) in order.enumerated() {
    let isTie =
      position > 0 && keys[order[position - 1]] == keys[index]
      && values[order[position - 1]].isNaN == values[index].isNaN
    ranks[index] = isTie ? ranks[order[position - 1]] : position + 1
  }
  return ranks
}
