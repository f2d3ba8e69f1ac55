import ApusData
import ApusML
import ApusParallel

/// What a search is worth on rows that it has not seen: the result of ``nestedCrossValidate(_:on:outer:backend:cancellation:onEvent:)``.
public struct NestedResults: Sendable, Hashable {
  /// One search on the training rows of an outer split.
  public struct Fold: Sendable, Hashable {
    /// The candidate that the search chose.
    public var chosen: CandidateResult
    /// The score of each metric on the outer test rows, by the chosen candidate fitted on all training rows.
    public var scores: [Double]
  }

  /// The names of the metrics.
  public var metrics: [String]
  /// The outer splits, in order.
  public var folds: [Fold]

  /// The mean and the standard deviation (with divisor k) of a metric's scores on the outer test rows.
  public func summary(of metric: Int = 0) -> (mean: Double, standardDeviation: Double) {
    let (mean, deviation) = meanAndDeviation(folds.map { $0.scores[metric] })
    return (mean, deviation)
  }
}

/// Runs a search on the training rows of each outer split, and scores what it chose on the test rows.
///
/// The score of a search's best candidate is too good, because that candidate was chosen for it; the scores of a
/// nested cross-validation are not. They belong to the search as a method, not to one candidate.
///
/// ```swift
/// let search = GridSearch(ParameterGrid(Ridge()).varying(\.alpha, [0.1, 1, 10]))
/// let nested = try await nestedCrossValidate(search, on: data, backend: ThreadBackend())
/// print(nested.summary())
/// ```
///
/// - Parameters:
///   - search: the search; its options say how it divides its own rows.
///   - data: the rows.
///   - outer: how rows are divided between searching and scoring; the task's default unless given.
///   - backend: where fits run; the answer does not depend on it.
///   - cancellation: raised to end early.
///   - onEvent: called as each search goes on, with the number of the outer split.
/// - Throws: ``ApusError`` as the search does, or `cancelled` when it was ended early.
public func nestedCrossValidate(
  _ search: some HyperparameterSearch, on data: Dataset, outer: (any Splitter)? = nil,
  backend: some ParallelBackend, cancellation: Cancellation = Cancellation(),
  onEvent: (@Sendable (Int, SearchEvent) -> Void)? = nil
) async throws -> NestedResults {
  guard let task = search.space.parts.first?.estimator.task else {
    throw ApusError(.invalidParameter, "the search has no candidates")
  }
  let splits = try (outer ?? task.defaultSplitter()).splits(
    of: data, seed: search.options.seed.derived("outer splits"))
  var metrics = search.options.metrics
  if metrics.isEmpty { metrics = [try Metric.default(for: task)] }
  var folds: [NestedResults.Fold] = []
  for (number, split) in splits.enumerated() {
    var inner = search
    inner.options.refits = true
    inner.options.seed = search.options.seed.derived("outer", number)
    let report = onEvent.map { onEvent in { @Sendable (event: SearchEvent) in onEvent(number, event) } }
    let outcome = try await inner.run(
      on: data.gatheringRows(split.train), backend: backend, cancellation: cancellation, onEvent: report)
    guard let model = outcome.bestModel, let chosen = outcome.chosen else {
      try cancellation.check()
      throw ApusError(.job, "the search of outer split \(number) chose nothing: no candidate has scores")
    }
    let test = data.gatheringRows(split.test)
    let scores = try await Parallel(jobs: 1, cancellation: cancellation).map(metrics) { metric in
      try metric.score(model, on: test)
    }
    folds.append(NestedResults.Fold(chosen: chosen, scores: scores))
  }
  return NestedResults(metrics: metrics.map(\.name), folds: folds)
}
