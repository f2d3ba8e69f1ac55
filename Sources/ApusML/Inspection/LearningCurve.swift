import ApusData
import ApusParallel

/// How scores grow with the number of training rows: whether more rows would help, or a better model.
public struct LearningCurve: Sendable, Hashable, Codable {
  /// The numbers of training rows, ascending.
  public var trainSizes: [Int]
  /// The name of each metric.
  public var metrics: [String]
  /// The scores of each metric on the training rows: by metric, size and fold.
  public var trainScores: [[[Double]]]
  /// The scores of each metric on the test rows: by metric, size and fold.
  public var testScores: [[[Double]]]
  /// The wall-clock time of the fits: by size and fold.
  public var fitSeconds: [[Double]]

  /// Cross-validates an estimator on growing parts of the training rows.
  ///
  /// The training rows of each fold are shortened to their first few, as in scikit-learn; shuffle the folds
  /// where the rows of a file are sorted.
  ///
  /// - Parameters:
  ///   - estimator: what is fitted.
  ///   - data: the rows.
  ///   - fractions: the parts of the smallest training set, above 0 and up to 1.
  ///   - options: splitter, metrics and seed.
  ///   - backend: where fits run; the answer does not depend on it.
  /// - Throws: ``ApusError`` as a search does, and of kind `invalidParameter` for fractions out of range.
  public static func compute(
    _ estimator: some Estimator, on data: Dataset, fractions: [Double] = [0.1, 0.325, 0.55, 0.775, 1],
    _ options: SearchOptions = SearchOptions(), backend: some ParallelBackend
  ) async throws -> LearningCurve {
    let task = type(of: estimator).task
    let splits = try (options.splitter ?? task.defaultSplitter())
      .splits(of: data, seed: options.seed.derived("splits"))
    let whole = splits.map(\.train.count).min() ?? 0
    if let fraction = fractions.first(where: { !($0 > 0 && $0 <= 1) }) {
      throw ApusError(
        .invalidParameter, "a learning curve's fractions must lie above 0 and up to 1, but one is \(fraction)"
      )
    }
    let sizes = Set(fractions.map { Int($0 * Double(whole)) }.filter { $0 > 0 }).sorted()
    guard !sizes.isEmpty else {
      throw ApusError(
        .invalidParameter, "the fractions of \(whole) training rows leave no rows",
        hint: "use larger fractions")
    }
    var options = options
    options.includesTrainScores = true
    options.splitter = PredefinedSplit(
      sizes.flatMap { size in splits.map { Split(train: Array($0.train.prefix(size)), test: $0.test) } })
    let results = try await crossValidate(estimator, on: data, options, backend: backend)
    func bySize(_ values: [Double]) -> [[Double]] {
      sizes.indices.map { Array(values[$0 * splits.count..<($0 + 1) * splits.count]) }
    }
    let candidate = results.candidates[0]
    return LearningCurve(
      trainSizes: sizes, metrics: results.metrics,
      trainScores: candidate.scores.map { bySize($0.train ?? []) },
      testScores: candidate.scores.map { bySize($0.test) }, fitSeconds: bySize(candidate.fitSeconds))
  }
}
