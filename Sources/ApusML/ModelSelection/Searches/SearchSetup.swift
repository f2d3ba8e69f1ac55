import ApusData
import ApusParallel

/// What the fits of a search have in common, checked: the rows, how they are divided, what is scored.
package struct SearchSetup: Sendable {
  package let data: Dataset
  package let task: LearningTask
  package let splits: [Split]
  package let splitter: any Splitter
  package let metrics: [Metric]
  package let options: SearchOptions

  /// Checks data and metrics, and divides the rows.
  ///
  /// - Parameters:
  ///   - estimators: an estimator of each sort that will be tried.
  ///   - data: the rows.
  ///   - options: how candidates are compared.
  /// - Throws: ``ApusError`` for anything that would make fits fail and can be known before.
  package init(_ estimators: [AnyEstimator], on data: Dataset, _ options: SearchOptions) throws {
    guard let task = estimators.first?.task else {
      throw ApusError(.invalidParameter, "the search has no candidates")
    }
    for estimator in estimators where estimator.task != task {
      throw ApusError(
        .invalidParameter, "\(estimator.name) is for \(estimator.task), but others are for \(task)",
        hint: "search estimators of one task at a time")
    }
    try data.checkTarget(for: estimators[0])
    var metrics = options.metrics.isEmpty ? [try Metric.default(for: task)] : options.metrics
    if let refit = options.refitMetric, !metrics.contains(refit) { metrics.append(refit) }
    for (index, metric) in metrics.enumerated() {
      try metric.check(task: task, data: data)
      guard !metrics[..<index].contains(metric) else {
        throw ApusError(.invalidParameter, "the metric \(metric) was asked for twice")
      }
    }
    self.data = data
    self.task = task
    self.metrics = metrics
    self.options = options
    splitter = options.splitter ?? task.defaultSplitter()
    splits = try splitter.splits(of: data, seed: options.seed.derived("splits"))
  }

  /// The name of the metric that decides which candidate is best.
  package var refitMetric: String { (options.refitMetric ?? metrics[0]).name }

  /// The position of that metric.
  package var refitPosition: Int { metrics.firstIndex { $0.name == refitMetric } ?? 0 }

  /// Scored rows to learning rows, on average over the splits: how much test sets overlap in what was learnt.
  package var testRatio: Double {
    splits.reduce(0) { $0 + Double($1.test.count) / Double(max(1, $1.train.count)) } / Double(splits.count)
  }

  /// What scores depend on beside the candidate.
  package func identity(_ template: FitAndScore) -> JournaledSearch.Identity {
    identity(data: template.data.digest, splits: template.splits.digest)
  }

  /// This search as a journal knows it before it has candidates.
  package func journaledSearch() -> JournaledSearch {
    JournaledSearch(
      identity: identity(data: data.digest, splits: SplitPlan(splits).digest), task: task,
      refitMetric: refitMetric, candidateCount: 0,
      candidate: { _ in throw ApusError(.invalidParameter, "there is no candidate") })
  }

  private func identity(data digest: Digest, splits splitDigest: Digest) -> JournaledSearch.Identity {
    JournaledSearch.Identity(
      data: digest, rowCount: data.rowCount, featureCount: data.featureCount,
      targetName: data.targetName, splits: splitDigest, foldCount: splits.count,
      testRatio: testRatio, splitter: splitter.journalDescription, seed: options.seed,
      metrics: metrics.map(\.name), includesTrainScores: options.includesTrainScores)
  }

  /// Places data and splits on a backend for as long as a function needs them.
  package func withTemplate<Result>(
    on backend: some ParallelBackend, _ cancellation: Cancellation,
    _ body: (FitAndScore) async throws -> Result
  ) async throws -> Result {
    // Both at once: to hosts far away, each takes a while.
    async let placedSplits = backend.put(SplitPlan(splits), cancellation: cancellation)
    let dataReference: DataReference<Dataset>
    do { dataReference = try await backend.put(data, cancellation: cancellation) } catch {
      if let splits = try? await placedSplits { await backend.remove(splits.digest) }
      throw error
    }
    let splitReference: DataReference<SplitPlan>
    do { splitReference = try await placedSplits } catch {
      await backend.remove(dataReference.digest)
      throw error
    }
    let template = FitAndScore(
      data: dataReference, splits: splitReference, fold: 0, candidates: [], metrics: metrics,
      scoresTraining: options.includesTrainScores, seed: options.seed)
    func letGo() async {
      await backend.remove(splitReference.digest)
      await backend.remove(dataReference.digest)
      FoldCache.shared.remove(dataReference.digest)
    }
    do {
      let result = try await body(template)
      await letGo()
      return result
    } catch {
      await letGo()
      throw error
    }
  }

  /// Fits the candidate that the results name on all rows, where that was asked for.
  package func outcome(
    _ results: SearchResults, onEvent: (@Sendable (SearchEvent) -> Void)?, _ cancellation: Cancellation
  ) async throws -> SearchOutcome {
    var outcome = SearchOutcome(results: results)
    if options.refits, results.isComplete, let chosen = results.chosen {
      let progress = WorkProgress()
      onEvent?(.refitting(candidate: chosen.index, progress: progress))
      let start = ContinuousClock.now
      outcome.bestModel = try await refit(chosen.estimator, cancellation, progress)
      outcome.refitSeconds = start.elapsedSeconds
    }
    onEvent?(.finished)
    return outcome
  }

  /// Fits on all rows with every CPU, away from Swift's cooperative threads.
  package func refit(
    _ estimator: AnyEstimator, _ cancellation: Cancellation, _ progress: WorkProgress
  ) async throws -> any FittedModel {
    let seed = options.seed.derived("refit")
    let models = try await Parallel(jobs: 1, cancellation: cancellation).map([estimator]) { estimator in
      try estimator.base.fittedModel(
        data,
        FitContext(
          seed: seed,
          compute: ComputeContext(
            threads: CPUBudget.current.cpuCount, cancellation: cancellation, progress: progress)))
    }
    return models[0]
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
