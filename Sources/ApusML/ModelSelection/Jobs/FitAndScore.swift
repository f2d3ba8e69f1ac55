import ApusData
import ApusParallel

/// The job of all model selection: fits candidates on the training rows of one fold and scores them.
///
/// Cross-validation and every search are made of these jobs and nothing else. Data and splits are named, not
/// carried. The fit seed depends on the search's seed and the fold alone, so all candidates of a fold meet the
/// same random numbers: they can share work, and luck does not tell them apart.
package struct FitAndScore: Job {
  package static let wireName = "apus.fit-and-score"

  /// The rows.
  package var data: DataReference<Dataset>
  /// How they are divided.
  package var splits: DataReference<SplitPlan>
  /// The number of the split.
  package var fold: Int
  /// Learn from the part `trainRows / all rows` of the fold's training rows; nil for all of them.
  package var trainRows: Int?
  /// The candidates, which may share work when there is more than one.
  package var candidates: [AnyEstimator]
  /// What is scored.
  package var metrics: [Metric]
  /// Whether the training rows are scored too.
  package var scoresTraining: Bool
  /// Whether other jobs of the run need the same rows, so that gathering them once is worth the memory.
  package var sharesRows: Bool
  /// The seed of the search.
  package var seed: Seed

  package init(
    data: DataReference<Dataset>, splits: DataReference<SplitPlan>, fold: Int, trainRows: Int? = nil,
    candidates: [AnyEstimator], metrics: [Metric], scoresTraining: Bool = false, sharesRows: Bool = true,
    seed: Seed
  ) {
    self.data = data
    self.splits = splits
    self.fold = fold
    self.trainRows = trainRows
    self.candidates = candidates
    self.metrics = metrics
    self.scoresTraining = scoresTraining
    self.sharesRows = sharesRows
    self.seed = seed
  }

  package var label: String { "\(candidates.first?.name ?? "no candidate"), fold \(fold)" }

  /// A score sheet for each candidate, in their order.
  package func run(in context: JobContext) throws -> [FitScores] {
    let part = trainRows.map { FoldPart(rows: $0, seed: seed) }
    let rows =
      sharesRows
      ? try FoldCache.shared.rows(of: data, splits, fold: fold, part: part, in: context)
      : try FoldCache.gather(data, splits, fold, part: part, in: context)
    let fitContext = FitContext(seed: seed.derived("fold", fold), compute: context.compute)
    return try JointFit.fit(candidates, on: rows.train, fitContext).map {
      try score($0, rows, context.compute)
    }
  }

  private func score(
    _ fit: CandidateFit, _ rows: FoldRows, _ compute: ComputeContext
  ) throws -> FitScores {
    var scores = FitScores(fitSeconds: fit.seconds)
    do {
      let model = try fit.model.get()
      scores.convergence = model.convergence
      let start = ContinuousClock.now
      let test = Evaluation(model, on: rows.test, compute)
      scores.test = try metrics.map { try $0.score(test) }
      scores.scoreSeconds = start.elapsedSeconds
      if scoresTraining {
        let train = Evaluation(model, on: rows.train, compute)
        scores.train = try metrics.map { try $0.score(train) }
      }
    } catch {
      try compute.cancellation.check()
      scores.test = []
      scores.train = []
      scores.failure = "\(error)"
    }
    return scores
  }
}

/// What became of one candidate on one fold.
package struct FitScores: Sendable, Hashable, Codable {
  /// The score of each metric on the test rows; empty when the fit or a score failed.
  package var test: [Double]
  /// The score of each metric on the training rows, where asked for.
  package var train: [Double]
  /// The wall-clock time of the fit.
  package var fitSeconds: Double
  /// The wall-clock time of the predictions and scores on the test rows.
  package var scoreSeconds: Double
  /// How the fit ended, for methods that iterate.
  package var convergence: Convergence?
  /// Why there are no scores.
  package var failure: String?

  package init(
    test: [Double] = [], train: [Double] = [], fitSeconds: Double = .nan, scoreSeconds: Double = 0,
    convergence: Convergence? = nil, failure: String? = nil
  ) {
    self.test = test
    self.train = train
    self.fitSeconds = fitSeconds
    self.scoreSeconds = scoreSeconds
    self.convergence = convergence
    self.failure = failure
  }
}
