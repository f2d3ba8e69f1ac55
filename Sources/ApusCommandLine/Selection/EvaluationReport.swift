import Apus

/// What `apus evaluate` has to say.
struct EvaluationReport: Encodable {
  /// The scores of one metric.
  struct Scores: Encodable {
    var mean: Double?
    var standardDeviation: Double?
    /// A score for each fold; null where the fit failed.
    var test: [Double?]
    /// The same on the training rows, where asked for.
    var train: [Double?]?

    init(_ result: MetricResult) {
      mean = result.mean.finite
      standardDeviation = result.standardDeviation.finite
      test = result.test.map(\.finite)
      train = result.train?.map(\.finite)
    }
  }

  var estimator: String
  var parameters: [String: ParameterValue]
  var dataset: String
  var rows: Int
  var features: Int
  var seed: UInt64
  var backend: String
  var workers: Int
  var folds: Int
  var isComplete: Bool
  var scores: [String: Scores]
  var fitSeconds: [Double?]
  var scoreSeconds: [Double?]
  var unconvergedFolds: [Int]
  /// The most iterations of a fold's fit, where fits iterate.
  var iterations: Int?
  /// The largest number that a fold's fit ended with in place of its tolerance.
  var residual: Double?
  var elapsedSeconds = 0.0
  var failures: [FitFailure]

  private let metrics: [MetricResult]

  private enum CodingKeys: String, CodingKey {
    case estimator, parameters, dataset, rows, features, seed, backend, workers, folds, isComplete, scores
    case fitSeconds, scoreSeconds, unconvergedFolds, iterations, residual, elapsedSeconds, failures
  }

  init(
    _ results: SearchResults, _ candidate: CandidateResult, dataset: String, _ data: Dataset, seed: UInt64,
    backend: any ParallelBackend
  ) {
    estimator = candidate.estimator.name
    parameters = candidate.estimator.parameters
    self.dataset = dataset
    rows = data.rowCount
    features = data.featureCount
    self.seed = seed
    self.backend = backend.name
    workers = backend.capacity.slots
    folds = results.foldCount
    isComplete = results.isComplete
    metrics = candidate.scores
    scores = Dictionary(uniqueKeysWithValues: candidate.scores.map { ($0.metric, Scores($0)) })
    fitSeconds = candidate.fitSeconds.map(\.finite)
    scoreSeconds = candidate.scoreSeconds.map(\.finite)
    unconvergedFolds = candidate.unconvergedFolds.keys.sorted()
    iterations = candidate.mostIterations
    residual = candidate.largestResidual?.finite
    failures = results.failures
  }

  /// The report for people: a row a metric, with the folds where there are few.
  func text(width: Int?) -> String {
    let showsFolds = folds <= 5
    let hasTrain = metrics.contains { $0.train != nil }
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      ("Metric", .left), ("Mean ± std", .left),
    ]
    if hasTrain { columns.append(("On training rows", .left)) }
    if showsFolds { columns += (0..<folds).map { ("Fold \($0)", .right) } }
    var table = TextTable(columns)
    for metric in metrics {
      var cells = [metric.metric, Self.summary(metric.test)]
      if hasTrain { cells.append(Self.summary(metric.train ?? [])) }
      if showsFolds { cells += metric.test.map { $0.isNaN ? "-" : Quantities.score($0) } }
      table.add(cells)
    }
    return "\(estimator) on \(dataset), \(Quantities.count(rows)) rows × \(features) features\n\n"
      + table.text(width: width)
  }

  /// Says on the standard error what a reader of the scores should know.
  func sayNotes() {
    Report.note(
      "\(folds) folds in \(Quantities.duration(elapsedSeconds)), \(backend) with \(workers) "
        + "\(workers == 1 ? "worker" : "workers")")
    if !isComplete { Report.note("The evaluation was stopped: these are the folds that were finished.") }
    FailureNotes.say(failures)
    if !unconvergedFolds.isEmpty {
      Report.note(
        "\(unconvergedFolds.count) of \(folds) fits stopped before they converged, after "
          + "\(iterations ?? 0) \(iterations == 1 ? "iteration" : "iterations") with a residual of up to \(Quantities.parameter(residual ?? .nan)); "
          + ConvergenceNotes.advice)
    } else if let iterations {
      Report.note(
        "All fits converged, after at most \(iterations) \(iterations == 1 ? "iteration" : "iterations") with a "
          + "residual of up to \(Quantities.parameter(residual ?? .nan)).")
    }
  }

  private static func summary(_ scores: [Double]) -> String {
    let known = scores.filter { !$0.isNaN }
    guard !known.isEmpty else { return "-" }
    let mean = known.reduce(0, +) / Double(known.count)
    let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count)
    return Quantities.score(mean, deviation: variance.squareRoot())
  }
}

extension Double {
  /// The number, or nil for NaN and infinities, which JSON does not have.
  fileprivate var finite: Double? { isFinite ? self : nil }
}
