import ApusData
import ApusML
import ApusParallel
import Foundation

/// What a search is worth on rows that it has not seen: the result of ``nestedCrossValidate(_:on:outer:backend:cancellation:onEvent:)``.
public struct NestedResults: Sendable, Hashable, Codable {
  /// One search on the training rows of an outer split.
  public struct Fold: Sendable, Hashable, Codable {
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
///   - search: the search; its options say how it divides its own rows. One that is kept in a study keeps every
///     finished fit, and the scores on outer test rows, beside the study of the same search on all rows.
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
  let setup = try SearchSetup(search.space.parts.map(\.estimator), on: data, search.options)
  let splitter = outer ?? setup.task.defaultSplitter()
  let splits = try splitter.splits(of: data, seed: search.options.seed.derived("outer splits"))
  let session = try await search.options.journal?.begin(setup.journaledSearch()) ?? UnkeptSession()
  do {
    var folds: [NestedResults.Fold] = []
    for (number, split) in splits.enumerated() {
      let outer = OuterSplit(
        number: number, train: data.gatheringRows(split.train), test: data.gatheringRows(split.test),
        part: "outer split \(number + 1) of \(splits.count), \(type(of: splitter))")
      folds.append(
        try await outer.fold(search, metrics: setup.metrics, session, on: backend, cancellation, onEvent))
    }
    let results = NestedResults(metrics: setup.metrics.map(\.name), folds: folds)
    // Results are not lost with a note that cannot be kept.
    try? session.note(
      String(decoding: try JSONEncoder.jobs.encode(results), as: UTF8.self), among: .nested)
    await session.end()
    return results
  } catch {
    await session.end()
    throw error
  }
}

/// Rows to search on, and rows to score on what the search chose.
private struct OuterSplit {
  let number: Int
  let train: Dataset
  let test: Dataset
  /// Says which part of the rows it searches on, to people.
  let part: String

  /// Searches, and scores; what the journal has of either is taken from there.
  func fold(
    _ search: some HyperparameterSearch, metrics: [Metric], _ session: any FitSession,
    on backend: some ParallelBackend, _ cancellation: Cancellation,
    _ onEvent: (@Sendable (Int, SearchEvent) -> Void)?
  ) async throws -> NestedResults.Fold {
    var inner = search
    inner.options.refits = false
    inner.options.seed = search.options.seed.derived("outer", number)
    inner.options.journal = session.journal(ofPart: part)
    let number = number
    let outcome = try await inner.run(on: train, backend: backend, cancellation: cancellation) { event in
      if case .finished = event { return }
      onEvent?(number, event)
    }
    defer { onEvent?(number, .finished) }
    guard outcome.results.isComplete, let chosen = outcome.chosen else {
      try cancellation.check()
      throw ApusError(.job, "the search of outer split \(number + 1) chose nothing: no candidate has scores")
    }
    let name = scoreName(of: chosen.estimator, seed: inner.options.seed)
    if let kept = try session.decisions(of: name, from: 0).first {
      let scores = kept.split(separator: " ").compactMap { Double($0) }
      if scores.count == metrics.count { return NestedResults.Fold(chosen: chosen, scores: scores) }
    }
    let progress = WorkProgress()
    onEvent?(number, .refitting(candidate: chosen.index, progress: progress))
    let model = try await SearchSetup([chosen.estimator], on: train, inner.options).refit(
      chosen.estimator, cancellation, progress)
    let test = test
    let scores = try await Parallel(jobs: 1, cancellation: cancellation).map(metrics) { metric in
      try metric.score(model, on: test)
    }
    _ = try session.decide(scores.map { "\($0)" }.joined(separator: " "), step: 0, of: name)
    return NestedResults.Fold(chosen: chosen, scores: scores)
  }

  /// Names the scores of a candidate on the test rows, in the journal of the search on all rows, which says the metrics.
  private func scoreName(of estimator: AnyEstimator, seed: Seed) -> String {
    let parameters = estimator.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let text =
      "\(estimator.name) \(parameters) \(seed.value) \(train.digest.hexadecimal) \(test.digest.hexadecimal)"
    return "outer score " + Digest(of: Array(text.utf8)).hexadecimal
  }
}
