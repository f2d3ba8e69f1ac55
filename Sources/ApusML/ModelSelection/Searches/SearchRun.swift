import ApusData
import ApusParallel

/// One run of a search: checks everything that can be checked, plans the jobs, runs them and gathers the
/// scores.
struct SearchRun: Sendable {
  let candidates: SearchCandidates
  let setup: SearchSetup
  let onEvent: (@Sendable (SearchEvent) -> Void)?
  let representatives: [AnyEstimator?]

  var options: SearchOptions { setup.options }
  var metrics: [Metric] { setup.metrics }
  var splits: [Split] { setup.splits }

  /// Checks candidates, data and metrics, and divides the rows.
  ///
  /// - Throws: ``ApusError`` for anything that would make fits fail and can be known before.
  init(
    _ candidates: SearchCandidates, on data: Dataset, _ options: SearchOptions,
    onEvent: (@Sendable (SearchEvent) -> Void)?
  ) throws {
    self.candidates = candidates
    self.onEvent = onEvent
    var kinds: [AnyEstimator] = []
    var names = Set<String>()
    var representatives: [AnyEstimator?] = []
    representatives.reserveCapacity(candidates.count)
    for index in 0..<candidates.count {
      let candidate = try candidates.candidate(at: index)
      try candidate.base.validate()
      if names.insert(candidate.name).inserted { kinds.append(candidate) }
      representatives.append(JointFit.representative(of: candidate))
    }
    self.representatives = representatives
    setup = try SearchSetup(kinds, on: data, options)
    try SearchLimits.check(candidates: candidates.count, folds: setup.splits.count)
  }

  /// Runs all fits on a backend; a cancelled run returns what is finished.
  ///
  /// - Throws: ``ApusError`` of kind `job` with the most common reason when every fit failed, `cancelled` when
  ///   the run was cancelled before any candidate was finished on a fold.
  func run(on backend: some ParallelBackend, _ cancellation: Cancellation) async throws -> SearchResults {
    let plan = FitPlan(
      representatives: representatives, folds: splits.count, slots: backend.capacity.slots)
    return try await setup.withTemplate(on: backend, cancellation) { template in
      var template = template
      template.sharesRows = plan.jobCount > splits.count
      return try results(await fits(plan, template, on: backend, cancellation))
    }
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
    await backend.runFits(jobs, options: runOptions) { index, fits in
      let (members, fold) = plan.job(at: index)
      for (candidate, fit) in zip(members, fits) {
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
        means: sheet.results(of: candidate, metrics: metrics).map(\.mean), resource: nil))
  }

  private func results(_ sheet: ScoreSheet) throws -> SearchResults {
    let finished = sheet.finishedFits
    guard finished > 0 else {
      throw ApusError(.cancelled, "the search was cancelled before a fit was finished")
    }
    let failures = sheet.failures.sorted { ($0.candidate, $0.fold) < ($1.candidate, $1.fold) }
    guard failures.count < finished else { throw ApusError.allFailed(failures) }
    var rows: [CandidateResult] = []
    rows.reserveCapacity(candidates.count)
    for candidate in 0..<candidates.count {
      if let row = try sheet.row(of: candidate, candidates, metrics: metrics) { rows.append(row) }
    }
    rows.rank(metrics: metrics.indices)
    return SearchResults(
      metrics: metrics.map(\.name), foldCount: splits.count, refitMetric: setup.refitMetric, candidates: rows,
      failures: failures, isComplete: finished == candidates.count * splits.count,
      choice: options.choice, testRatio: setup.testRatio)
  }
}

extension ApusError {
  /// What a search throws of which every fit failed: the most common reason.
  package static func allFailed(_ failures: [FitFailure]) -> ApusError {
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
