import ApusData
import ApusParallel

/// One run of a search: checks everything that can be checked, plans the jobs, runs them and gathers the
/// scores.
struct SearchRun: Sendable {
  let candidates: SearchCandidates
  let data: Dataset
  let splits: [Split]
  let metrics: [Metric]
  let options: SearchOptions
  let onEvent: (@Sendable (SearchEvent) -> Void)?
  private let representatives: [AnyEstimator?]

  /// Checks candidates, data and metrics, and divides the rows.
  ///
  /// - Throws: ``ApusError`` for anything that would make fits fail and can be known before.
  init(
    _ candidates: SearchCandidates, on data: Dataset, _ options: SearchOptions,
    onEvent: (@Sendable (SearchEvent) -> Void)?
  ) throws {
    self.candidates = candidates
    self.data = data
    self.options = options
    self.onEvent = onEvent
    var task: LearningTask?
    var representatives: [AnyEstimator?] = []
    representatives.reserveCapacity(candidates.count)
    for index in 0..<candidates.count {
      let candidate = try candidates.candidate(at: index)
      try candidate.base.validate()
      if let task, task != candidate.task {
        throw ApusError(
          .invalidParameter, "\(candidate.name) is for \(candidate.task), but others are for \(task)",
          hint: "search estimators of one task at a time")
      }
      if task == nil { try data.checkTarget(for: candidate) }
      task = candidate.task
      representatives.append(JointFit.representative(of: candidate))
    }
    guard let task else { throw ApusError(.invalidParameter, "the search has no candidates") }
    self.representatives = representatives
    var metrics = options.metrics.isEmpty ? [try Metric.default(for: task)] : options.metrics
    if let refit = options.refitMetric, !metrics.contains(refit) { metrics.append(refit) }
    for (index, metric) in metrics.enumerated() {
      try metric.check(task: task, data: data)
      guard !metrics[..<index].contains(metric) else {
        throw ApusError(.invalidParameter, "the metric \(metric) was asked for twice")
      }
    }
    self.metrics = metrics
    let splitter = options.splitter ?? task.defaultSplitter()
    splits = try splitter.splits(of: data, seed: options.seed.derived("splits"))
  }

  /// Runs all fits on a backend; a cancelled run returns what is finished.
  ///
  /// - Throws: ``ApusError`` of kind `job` with the most common reason when every fit failed, `cancelled` when
  ///   the run was cancelled before any candidate was finished on a fold.
  func run(on backend: some ParallelBackend, _ cancellation: Cancellation) async throws -> SearchResults {
    let dataReference = try await backend.put(data)
    let splitReference: DataReference<SplitPlan>
    do { splitReference = try await backend.put(SplitPlan(splits)) } catch {
      await backend.remove(dataReference.digest)
      throw error
    }
    let plan = FitPlan(
      representatives: representatives, folds: splits.count, slots: backend.capacity.slots)
    let jobs = FitJobs(
      plan: plan, candidates: candidates,
      template: FitAndScore(
        data: dataReference, splits: splitReference, fold: 0, candidates: [], metrics: metrics,
        scoresTraining: options.includesTrainScores,
        sharesRows: plan.jobCount > splits.count, seed: options.seed))
    onEvent?(
      .started(
        candidates: candidates.count, folds: splits.count, fits: candidates.count * splits.count))
    var sheet = ScoreSheet(
      candidates: candidates.count, folds: splits.count, metrics: metrics.count,
      hasTrainScores: options.includesTrainScores)
    let runOptions = RunOptions(seed: options.seed, cancellation: cancellation)
    for await result in backend.run(jobs, options: runOptions) { enter(result, plan, &sheet) }
    await backend.remove(splitReference.digest)
    await backend.remove(dataReference.digest)
    FoldCache.shared.remove(dataReference.digest)
    return try results(sheet)
  }

  private func enter(_ result: JobResult<[FitScores]>, _ plan: FitPlan, _ sheet: inout ScoreSheet) {
    let (members, fold) = plan.job(at: result.index)
    switch result.outcome {
    case .success(let scores, let execution):
      for (candidate, scores) in zip(members.map(Int.init), scores) {
        sheet.enter(scores, candidate: candidate, fold: fold)
        let failure = scores.failure.map {
          self.failure(candidate, fold, worker: execution.worker, reason: .threw, message: $0)
        }
        if let failure { sheet.enter(failure, countingFold: false) }
        report(candidate, fold, scores.test, failure, sheet)
      }
    case .failure(let jobFailure):
      guard jobFailure.reason != .cancelled else { return }
      for candidate in members.map(Int.init) {
        let failure = self.failure(
          candidate, fold, worker: jobFailure.worker, reason: jobFailure.reason, message: jobFailure.message)
        sheet.enter(failure, countingFold: true)
        report(candidate, fold, [], failure, sheet)
      }
    }
  }

  private func failure(
    _ candidate: Int, _ fold: Int, worker: String?, reason: JobFailure.Reason, message: String
  ) -> FitFailure {
    let described = try? candidates.described(at: candidate)
    return FitFailure(
      candidate: candidate, fold: fold, estimator: described?.estimator.name ?? "",
      parameters: described?.parameters ?? [:], worker: worker, reason: reason, message: message)
  }

  private func report(
    _ candidate: Int, _ fold: Int, _ scores: [Double], _ failure: FitFailure?, _ sheet: ScoreSheet
  ) {
    guard let onEvent else { return }
    onEvent(.fitFinished(candidate: candidate, fold: fold, scores: scores, failure: failure))
    guard sheet.isFinished(candidate), let described = try? candidates.described(at: candidate) else {
      return
    }
    onEvent(
      .candidateFinished(
        index: candidate, estimator: described.estimator, parameters: described.parameters,
        means: sheet.results(of: candidate, metrics: metrics).map(\.mean)))
  }

  private func results(_ sheet: ScoreSheet) throws -> SearchResults {
    let finished = sheet.finishedFits
    guard finished > 0 else {
      throw ApusError(.cancelled, "the search was cancelled before a fit was finished")
    }
    let failures = sheet.failures.sorted { ($0.candidate, $0.fold) < ($1.candidate, $1.fold) }
    guard failures.count < finished else { throw Self.allFailed(failures) }
    var rows: [CandidateResult] = []
    rows.reserveCapacity(candidates.count)
    for candidate in 0..<candidates.count {
      if let row = try sheet.row(of: candidate, candidates, metrics: metrics) { rows.append(row) }
    }
    for metric in metrics.indices {
      for (row, rank) in ranks(of: rows.map { $0.scores[metric].mean }).enumerated() {
        rows[row].scores[metric].rank = rank
      }
    }
    return SearchResults(
      metrics: metrics.map(\.name), foldCount: splits.count,
      refitMetric: (options.refitMetric ?? metrics[0]).name, candidates: rows, failures: failures,
      isComplete: finished == candidates.count * splits.count)
  }

  private static func allFailed(_ failures: [FitFailure]) -> ApusError {
    var counts: [String: Int] = [:]
    for failure in failures { counts[failure.message, default: 0] += 1 }
    // The first of equally common reasons in the order of the search.
    var common = failures[0].message
    for failure in failures where counts[failure.message]! > counts[common]! { common = failure.message }
    let share = counts[common]! == failures.count ? "" : " (\(counts[common]!) times)"
    return ApusError(
      .job,
      failures.count == 1
        ? "the fit failed: \(common)"
        : "all \(failures.count) fits failed; the most common reason\(share): \(common)")
  }
}

extension Dataset {
  /// Checks that the target is of the kind that an estimator learns from, and has two classes to tell apart.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  func checkTarget(for estimator: AnyEstimator) throws {
    switch estimator.task {
    case .classification: _ = try ClassificationInput(self, estimator: estimator.name)
    case .regression: _ = try regressionTarget(for: estimator.name)
    case .clustering, .transformation: break
    }
  }
}
