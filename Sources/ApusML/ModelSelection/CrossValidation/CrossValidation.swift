import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Fits an estimator on the training rows of each split and scores it on the test rows.
///
/// ```swift
/// let row = try await crossValidate(Ridge(), on: data, backend: ThreadBackend())
/// print(row.scores[0].mean, row.scores[0].test)
/// ```
///
/// - Parameters:
///   - estimator: what is fitted.
///   - data: the rows.
///   - options: splitter, metrics, training scores and seed.
///   - backend: where fits run; the answer does not depend on it.
///   - cancellation: raised to end early; folds that are not finished have NaN scores.
///   - onEvent: called as the work goes on.
/// - Returns: a result with a single candidate.
/// - Throws: ``ApusError`` as ``HyperparameterSearch/run(on:backend:cancellation:onEvent:)`` does.
public func crossValidate(
  _ estimator: some Estimator, on data: Dataset, _ options: SearchOptions = SearchOptions(),
  backend: some ParallelBackend, cancellation: Cancellation = Cancellation(),
  onEvent: (@Sendable (SearchEvent) -> Void)? = nil
) async throws -> SearchResults {
  let run = try SearchRun(
    SearchCandidates(AnyEstimator(estimator)), on: data, options, onEvent: onEvent)
  let results = try await run.run(on: backend, cancellation)
  onEvent?(.finished)
  return results
}

/// The predictions for every row by a model that was fitted without it.
public enum CrossValidatedPredictions: Sendable, Equatable {
  /// The class of each row, a position in the data set's labels.
  case classes([Int32])
  /// The probability of each class, one column for each of the data set's labels.
  case probabilities(Matrix<Double>)
  /// The number of each row.
  case values([Double])
  /// The cluster of each row, numbered by the model of its own fold.
  case clusters([Int32])
}

/// Predicts each row by a model that was fitted on the training rows of the split in which it is tested.
///
/// - Parameters:
///   - estimator: what is fitted.
///   - data: the rows.
///   - splitter: splits whose test sets hold each row once; the task's default unless given.
///   - probabilities: whether class probabilities are wanted instead of classes.
///   - seed: the root of everything random.
///   - backend: where fits run.
/// - Throws: ``ApusError``: `invalidParameter` or `data` for what cannot be fitted or when the test sets do not
///   hold each row once; ``JobFailure`` of the first fold that failed.
public func crossValPredict(
  _ estimator: some Estimator, on data: Dataset, splitter: (any Splitter)? = nil, probabilities: Bool = false,
  seed: Seed = Seed(0), backend: some ParallelBackend
) async throws -> CrossValidatedPredictions {
  try estimator.validate()
  let wrapped = AnyEstimator(estimator)
  try data.checkTarget(for: wrapped)
  let splits = try (splitter ?? wrapped.task.defaultSplitter()).splits(of: data, seed: seed.derived("splits"))
  var tested = [Int](repeating: 0, count: data.rowCount)
  for split in splits { for row in split.test { tested[row] += 1 } }
  if let row = tested.firstIndex(where: { $0 != 1 }) {
    throw ApusError(
      .invalidParameter, "row \(row) is tested \(tested[row]) times, so it has no single prediction",
      hint: "use a splitter whose test sets hold each row once, such as k-fold")
  }
  let dataReference = try await backend.put(data)
  let splitReference = try await backend.put(SplitPlan(splits))
  let jobs = splits.indices.map {
    FitAndPredict(
      data: dataReference, splits: splitReference, fold: $0, estimator: wrapped,
      wantsProbabilities: probabilities, seed: seed)
  }
  var outcomes = [JobOutcome<FoldPredictions>?](repeating: nil, count: splits.count)
  for await result in backend.run(jobs) { outcomes[result.index] = result.outcome }
  await backend.remove(splitReference.digest)
  await backend.remove(dataReference.digest)
  var rows: [Int] = []
  var folds: [FoldPredictions] = []
  for (split, outcome) in zip(splits, outcomes) {
    guard let outcome else { throw ApusError(.cancelled, "the cross-validation was cancelled") }
    folds.append(try outcome.get())
    rows += split.test
  }
  return CrossValidatedPredictions(folds, rows: rows)
}

extension CrossValidatedPredictions {
  /// Puts the predictions of the folds, whose test rows are given one fold after the other, into row order.
  fileprivate init(_ folds: [FoldPredictions], rows: [Int]) {
    var classes: [Int32] = []
    var values: [Double] = []
    var probabilities: [[Double]] = []
    var isClusters = false
    for fold in folds {
      switch fold {
      case .classes(let part): classes += part.elements
      case .clusters(let part):
        classes += part.elements
        isClusters = true
      case .values(let part): values += part.elements
      case .probabilities(let part): probabilities += part.rowArrays
      }
    }
    func inRowOrder<Element>(_ elements: [Element]) -> [Element] {
      rows.indices.sorted { rows[$0] < rows[$1] }.map { elements[$0] }
    }
    if !probabilities.isEmpty {
      self = .probabilities(Matrix(inRowOrder(probabilities)))
    } else if !values.isEmpty {
      self = .values(inRowOrder(values))
    } else {
      self = isClusters ? .clusters(inRowOrder(classes)) : .classes(inRowOrder(classes))
    }
  }
}
