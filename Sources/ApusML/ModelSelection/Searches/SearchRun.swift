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
  let representatives: [AnyEstimator?]

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
    let template = FitAndScore(
      data: dataReference, splits: splitReference, fold: 0, candidates: [], metrics: metrics,
      scoresTraining: options.includesTrainScores, sharesRows: plan.jobCount > splits.count,
      seed: options.seed)
    let sheet: Result<ScoreSheet, any Error>
    do { sheet = .success(try await fits(plan, template, on: backend, cancellation)) } catch {
      sheet = .failure(error)
    }
    await backend.remove(splitReference.digest)
    await backend.remove(dataReference.digest)
    FoldCache.shared.remove(dataReference.digest)
    return try results(try sheet.get())
  }

  /// A sheet without scores; the events begin with it.
  func startedSheet() -> ScoreSheet {
    onEvent?(
      .started(
        candidates: candidates.count, folds: splits.count, fits: candidates.count * splits.count))
    return ScoreSheet(
      candidates: candidates.count, folds: splits.count, metrics: metrics.count,
      hasTrainScores: options.includesTrainScores)
  }

  private func fits(
    _ plan: FitPlan, _ template: FitAndScore, on backend: some ParallelBackend,
    _ cancellation: Cancellation
  ) async throws -> ScoreSheet {
    if let journal = options.journal {
      return try await journaledFits(plan, template, journal, on: backend, cancellation)
    }
    let jobs = FitJobs(plan: plan, candidates: candidates, template: template)
    var sheet = startedSheet()
    let runOptions = RunOptions(seed: options.seed, cancellation: cancellation)
    for await result in backend.run(jobs, options: runOptions) {
      let (members, fold) = plan.job(at: result.index)
      for (candidate, fit) in zip(members, result.outcome.fits(members.count)) {
        let failure = enter(fit, candidate: Int(candidate), fold: fold, &sheet)
        report(Int(candidate), fold, fit.scores.test, failure, sheet)
      }
    }
    return sheet
  }

  /// Enters what became of a candidate on a fold.
  ///
  /// - Returns: the failure, where it failed.
  func enter(
    _ fit: TriedFit, candidate: Int, fold: Int, _ sheet: inout ScoreSheet
  ) -> FitFailure? {
    sheet.enter(fit.scores, candidate: candidate, fold: fold)
    guard let reason = fit.reason else { return nil }
    let described = try? candidates.described(at: candidate)
    let failure = FitFailure(
      candidate: candidate, fold: fold, estimator: described?.estimator.name ?? "",
      parameters: described?.parameters ?? [:], worker: fit.worker, reason: reason,
      message: fit.scores.failure ?? "")
    sheet.enter(failure)
    return failure
  }

  /// Tells what became of a candidate on a fold.
  func report(
    _ candidate: Int, _ fold: Int, _ scores: [Double], _ failure: FitFailure?, _ sheet: ScoreSheet
  ) {
    onEvent?(.fitFinished(candidate: candidate, fold: fold, scores: scores, failure: failure))
    if sheet.isFinished(candidate) { reportFinished(candidate, sheet) }
  }

  /// Tells that a candidate was tried on every fold.
  func reportFinished(_ candidate: Int, _ sheet: ScoreSheet) {
    guard let onEvent, let described = try? candidates.described(at: candidate) else { return }
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
