import ApusParallel

/// The scores of a search as they come in, in flat arrays.
struct ScoreSheet {
  let metricCount: Int
  let foldCount: Int
  let candidateCount: Int
  private(set) var failures: [FitFailure] = []
  /// At `(candidate · folds + fold) · metrics + metric`.
  private var test: [Double]
  private var train: [Double]
  private var fitSeconds: [Double]
  private var scoreSeconds: [Double]
  private var finishedFolds: [Int32]
  private var ends: [Int: FitEnds] = [:]

  init(candidates: Int, folds: Int, metrics: Int, hasTrainScores: Bool) {
    candidateCount = candidates
    foldCount = folds
    metricCount = metrics
    let fits = candidates * folds
    test = [Double](repeating: .nan, count: fits * metrics)
    train = hasTrainScores ? test : []
    fitSeconds = [Double](repeating: .nan, count: fits)
    scoreSeconds = fitSeconds
    finishedFolds = [Int32](repeating: 0, count: candidates)
  }

  /// The number of fits that were made, whether they failed or not.
  var finishedFits: Int { finishedFolds.reduce(0) { $0 + Int($1) } }

  /// Whether every fold of a candidate was tried.
  func isFinished(_ candidate: Int) -> Bool { Int(finishedFolds[candidate]) == foldCount }

  /// Enters what became of a candidate on a fold.
  mutating func enter(_ scores: FitScores, candidate: Int, fold: Int) {
    let fit = candidate * foldCount + fold
    finishedFolds[candidate] += 1
    fitSeconds[fit] = scores.fitSeconds
    guard scores.failure == nil, scores.test.count == metricCount else { return }
    scoreSeconds[fit] = scores.scoreSeconds
    for metric in 0..<metricCount { test[fit * metricCount + metric] = scores.test[metric] }
    if !train.isEmpty, scores.train.count == metricCount {
      for metric in 0..<metricCount { train[fit * metricCount + metric] = scores.train[metric] }
    }
    if let end = scores.convergence { ends[candidate, default: FitEnds()].enter(end, fold: fold) }
  }

  /// Enters why a fit has no scores.
  mutating func enter(_ failure: FitFailure) { failures.append(failure) }

  /// The scores of a candidate by each metric.
  func results(of candidate: Int, metrics: [Metric]) -> [MetricResult] {
    metrics.enumerated().map { position, metric in
      func gather(_ scores: [Double]) -> [Double] {
        (0..<foldCount).map { scores[(candidate * foldCount + $0) * metricCount + position] }
      }
      return MetricResult(
        metric: metric.name, test: gather(test), train: train.isEmpty ? nil : gather(train))
    }
  }

  /// The row of a candidate, its ranks not yet set; nil when no fold of it was tried.
  func row(of candidate: Int, _ candidates: SearchCandidates, metrics: [Metric]) throws -> CandidateResult? {
    guard finishedFolds[candidate] > 0 else { return nil }
    let (estimator, parameters) = try candidates.described(at: candidate)
    let fits = candidate * foldCount..<(candidate + 1) * foldCount
    return CandidateResult(
      index: candidate, estimator: estimator, parameters: parameters,
      scores: results(of: candidate, metrics: metrics), fitSeconds: Array(fitSeconds[fits]),
      scoreSeconds: Array(scoreSeconds[fits]), ends: ends[candidate] ?? FitEnds())
  }
}
