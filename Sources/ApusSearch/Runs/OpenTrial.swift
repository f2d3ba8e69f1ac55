import ApusML
import ApusParallel

/// A trial with what is known of it.
struct OpenTrial {
  let trial: Trial
  /// The candidate's number in the journal.
  let number: Int
  var fits: [TriedFit?]
  /// The first so many folds are wanted.
  var wanted = 0
  /// The scores that this trial races against.
  var rival: [Double]?
  var isClosed = false

  init(trial: Trial, number: Int, foldCount: Int) {
    self.trial = trial
    self.number = number
    fits = [TriedFit?](repeating: nil, count: foldCount)
  }

  func key(_ fold: Int) -> FitKey {
    FitKey(candidate: number, fold: fold, of: fits.count, trainRows: trial.trainRows)
  }

  /// The score of each fold by a metric; NaN where there is none.
  func scores(_ metric: Int, train: Bool = false) -> [Double] {
    fits.map { fit in
      guard let scores = fit?.scores else { return .nan }
      let numbers = train ? scores.train : scores.test
      return scores.failure == nil && numbers.indices.contains(metric) ? numbers[metric] : .nan
    }
  }

  /// Why a fold has no score, if it was tried.
  func failure(_ fold: Int) -> FitFailure? {
    guard let fit = fits[fold], let reason = fit.reason else { return nil }
    return FitFailure(
      candidate: trial.index, fold: fold, estimator: trial.estimator.name, parameters: trial.parameters,
      worker: fit.worker, reason: reason, message: fit.scores.failure ?? "")
  }
}

extension TrialLoop {
  /// The results so far.
  ///
  /// - Throws: ``ApusError``: `cancelled` when no fit was finished, `job` when all of them failed.
  func results(isCancelled: Bool) throws -> SearchResults {
    let setup = run.setup
    let shown = trials.sorted { $0.key < $1.key }.map(\.value).filter { open in
      open.trial.index <= lastTrial ?? .max && open.fits.contains { $0 != nil }
    }
    guard !shown.isEmpty else {
      throw ApusError(.cancelled, "the search ended before a fit was finished")
    }
    let failures = shown.flatMap { open in open.fits.indices.compactMap { open.failure($0) } }
    let finished = shown.reduce(0) { $0 + $1.fits.count { $0 != nil } }
    guard failures.count < finished else { throw ApusError.allFailed(failures) }
    var rows = shown.map { result($0) }
    rows.rank(metrics: setup.metrics.indices)
    return SearchResults(
      metrics: setup.metrics.map(\.name), foldCount: setup.splits.count, refitMetric: setup.refitMetric,
      candidates: rows, failures: failures, isComplete: !isCancelled, choice: setup.options.choice,
      testRatio: setup.testRatio, stopReason: isCancelled ? nil : stopReason)
  }

  private func result(_ open: OpenTrial) -> CandidateResult {
    let hasTrain = run.setup.options.includesTrainScores
    return CandidateResult(
      index: open.trial.index, estimator: open.trial.estimator, parameters: open.trial.parameters,
      stage: open.trial.stage,
      scores: run.setup.metrics.enumerated().map { position, metric in
        MetricResult(
          metric: metric.name, test: open.scores(position),
          train: hasTrain ? open.scores(position, train: true) : nil)
      },
      fitSeconds: open.fits.map { $0?.scores.fitSeconds ?? .nan },
      scoreSeconds: open.fits.map { fit in
        guard let fit, fit.reason == nil else { return .nan }
        return fit.scores.scoreSeconds
      },
      ends: FitEnds(open.fits.map { $0?.scores.convergence }))
  }
}
