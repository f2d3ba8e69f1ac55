import Apus

/// What `apus search` has to say.
struct SearchReport: Encodable {
  /// The best candidate.
  struct Best: Encodable {
    var estimator: String
    /// The hyperparameters that the search varied.
    var parameters: [String: ParameterValue]
    /// Every hyperparameter.
    var allParameters: [String: ParameterValue]
    /// The mean over the folds.
    var score: Double
    /// The standard deviation over the folds.
    var standardDeviation: Double
    var metric: String
    /// The row of the results, from 0.
    var candidate: Int
    /// The folds whose fit ended at its limit of iterations, not at its tolerance.
    var unconvergedFolds: [Int]
    /// The most iterations of a fold's fit, and the largest number left in place of its tolerance, of fits that iterate.
    var iterations: Int?
    var residual: Double?
  }

  /// A candidate beside the best one, by the corrected resampled t-test.
  struct Comparison: Encodable {
    /// The row of the results, from 0.
    var candidate: Int
    /// The best one's mean less this one's.
    var difference: Double
    /// The interval of the difference, with a confidence of 95 %.
    var interval: [Double]
    /// The probability of such a difference where there is none; null where folds do not differ.
    var probability: Double?
  }

  var best: Best?
  /// The candidate that was fitted on all rows, where that is not the best.
  var chosen: Best?
  var results: [[String: ParameterValue]]
  var dataset: String
  var rows: Int
  var features: Int
  var seed: UInt64
  var backend: String
  var workers: Int
  var folds: Int
  var metrics: [String]
  /// Whether every fit was tried; false when the search was interrupted.
  var isComplete: Bool
  /// The rule that ended the search, if one did.
  var stopReason: String?
  /// How the next candidates differ from the best.
  var comparisons: [Comparison]
  /// What the search is worth on rows that it has not seen, if that was asked for.
  var nested: Nested?
  var elapsedSeconds = 0.0
  /// What of that it took to read the data.
  var readingSeconds = 0.0
  var refitSeconds: Double?
  /// How the fit on all rows ended, where it iterated.
  var refitConvergence: Convergence?
  var failures: [FitFailure]
  var output: String?

  private let outcome: SearchResults
  private let fits: Int

  private enum CodingKeys: String, CodingKey {
    case best, chosen, results, dataset, rows, features, seed, backend, workers, folds, metrics, isComplete
    case stopReason, comparisons, nested, elapsedSeconds, readingSeconds, refitSeconds, refitConvergence,
      failures, output
  }

  init(
    _ outcome: SearchOutcome, dataset: String, _ data: Dataset, seed: UInt64, backend: any ParallelBackend,
    fits: Int
  ) {
    self.outcome = outcome.results
    self.fits = fits
    results = outcome.results.table.objects
    self.dataset = dataset
    rows = data.rowCount
    features = data.featureCount
    self.seed = seed
    self.backend = backend.name
    workers = backend.capacity.slots
    folds = outcome.results.foldCount
    metrics = outcome.results.metrics
    isComplete = outcome.results.isComplete
    stopReason = outcome.results.stopReason
    let places = Dictionary(
      uniqueKeysWithValues: outcome.results.candidates.enumerated().map { ($1.index, $0) })
    comparisons = outcome.results.comparisonsWithBest(20).map { candidate, test in
      let interval = test.interval()
      return Comparison(
        candidate: places[candidate.index] ?? 0, difference: test.mean,
        interval: [interval.lowerBound, interval.upperBound],
        probability: test.probability.isNaN ? nil : test.probability)
    }
    refitSeconds = outcome.refitSeconds
    refitConvergence = outcome.bestModel?.convergence
    failures = outcome.results.failures
    best = Best(outcome.best, outcome.results)
    if outcome.chosen?.index != outcome.best?.index { chosen = Best(outcome.chosen, outcome.results) }
  }

  /// All results for a file: JSON where its name says so, else CSV.
  func resultsFile(named path: String) throws -> String {
    path.lowercased().hasSuffix(".json") ? try StandardOutput.json(results) : outcome.table.csv
  }

  // MARK: For people

  /// The ranking and the best candidate.
  func text(top: Int, width: Int?) -> String {
    var text = Self.ranking(outcome, top: top, width: width)
    if let best { text += "\nBest: \(Self.sentence(best))\n" }
    if let chosen { text += "Chosen, as simpler and about as good: \(Self.sentence(chosen))\n" }
    if let nested { text += nested.text }
    return text
  }

  private static func sentence(_ best: Best) -> String {
    let parameters = text(of: best.parameters)
    let unconverged = best.unconvergedFolds.count
    return "\(best.estimator)\(parameters.isEmpty ? "" : " with \(parameters)"), "
      + "\(best.metric) \(Quantities.score(best.score, deviation: best.standardDeviation))"
      + (unconverged > 0 ? " (NOT converged on \(unconverged) \(unconverged == 1 ? "fold" : "folds"))" : "")
  }

  /// The best candidates as a table.
  static func ranking(_ outcome: SearchResults, top: Int, width: Int?) -> String {
    let ranked = outcome.ranked
    let metrics = outcome.metrics
    let shown = ranked.prefix(max(1, top))
    let others = metrics.filter { $0 != outcome.refitMetric }
    let hasFamilies = Set(ranked.map(\.estimator.name)).count > 1
    let hasStages = ranked.contains { $0.stage != nil }
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      ("Rank", .right), (outcome.refitMetric, .left),
    ]
    columns += others.map { ($0, .left) }
    columns += [
      ("Resource", .right), ("Fit", .right), ("Estimator", .left), ("Parameters", .left), ("Notes", .left),
    ]
    var table = TextTable(columns)
    for candidate in shown {
      let scores = [outcome.refitMetric] + others
      var cells = [rank(of: candidate, outcome)] + scores.map { Self.score(candidate.score(of: $0)) }
      cells += [
        hasStages ? candidate.stage.map { Quantities.count($0.resource) } ?? "all" : "",
        Quantities.duration(Self.mean(candidate.fitSeconds)), hasFamilies ? candidate.estimator.name : "",
        Self.text(of: candidate.parameters), notes(on: candidate, outcome),
      ]
      table.add(cells)
    }
    var text = table.text(width: width)
    if ranked.count > shown.count { text += "… and \(ranked.count - shown.count) more (--top, --results)\n" }
    return text
  }

  /// Says on the standard error what a reader of the ranking should know.
  func sayNotes() {
    let made = outcome.candidates.reduce(0) { $0 + $1.fitSeconds.count(where: { !$0.isNaN }) }
    // Races give up the last folds of hopeless candidates.
    let tried = made + failures.count
    let done = isComplete && stopReason == nil && tried >= fits ? "\(fits)" : "\(tried) of \(fits)"
    Report.note(
      "\(done) fits in \(Quantities.duration(elapsedSeconds)) on \(Quantities.count(rows)) rows × \(features) "
        + "features, \(backend) with \(workers) \(workers == 1 ? "worker" : "workers")")
    if let stopReason { Report.note("The search ended early: \(stopReason).") }
    let likeBest = comparisons.count { ($0.probability ?? 1) > 0.05 }
    if likeBest > 0 {
      Report.note(
        "Of the next \(comparisons.count) candidate\(comparisons.count == 1 ? "" : "s"), \(likeBest) "
          + "cannot be told from the best at a level of 5 % (corrected resampled t-test).")
    }
    if !isComplete { Report.note("The search was stopped: the ranking is of what was finished.") }
    FailureNotes.say(failures)
    if outcome.unconvergedFitCount > 0 {
      Report.note(
        "\(outcome.unconvergedFitCount) of \(fits) fits stopped before they converged; \(ConvergenceNotes.advice)"
      )
    }
    if let refitConvergence {
      ConvergenceNotes.say(refitConvergence, of: "the best model, fitted on all rows,")
    }
  }

  private static func rank(of candidate: CandidateResult, _ outcome: SearchResults) -> String {
    guard let score = candidate.score(of: outcome.refitMetric), !score.mean.isNaN else { return "-" }
    return "\(score.rank)"
  }

  private static func notes(on candidate: CandidateResult, _ outcome: SearchResults) -> String {
    var notes: [String] = []
    let folds = outcome.foldCount
    let failed = outcome.failures.count(where: { $0.candidate == candidate.index })
    if failed > 0 { notes.append("\(failed) of \(folds) fits failed") }
    let missing = candidate.fitSeconds.count(where: \.isNaN) - failed
    if missing > 0 { notes.append("\(missing) of \(folds) folds missing") }
    if !candidate.unconvergedFolds.isEmpty { notes.append("not converged") }
    return notes.joined(separator: ", ")
  }

  private static func score(_ result: MetricResult?) -> String {
    guard let result, !result.mean.isNaN else { return "-" }
    return Quantities.score(result.mean, deviation: result.standardDeviation)
  }

  private static func mean(_ seconds: [Double]) -> Double {
    let known = seconds.filter { !$0.isNaN }
    return known.isEmpty ? .nan : known.reduce(0, +) / Double(known.count)
  }

  private static func text(of parameters: [String: ParameterValue]) -> String {
    parameters.sorted { $0.key < $1.key }.map { name, value in
      if case .real(let number) = value {
        "\(name)=\(Quantities.parameter(number))"
      } else {
        "\(name)=\(value)"
      }
    }.joined(separator: " ")
  }
}

/// Failed fits in words.
enum FailureNotes {
  /// Says the most common reasons, with an example of each.
  static func say(_ failures: [FitFailure]) {
    guard !failures.isEmpty else { return }
    Report.note("\(failures.count) \(failures.count == 1 ? "fit" : "fits") failed:")
    let byMessage = Dictionary(grouping: failures, by: \.message)
    let common = byMessage.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
    for (message, same) in common.prefix(3) {
      let parameters = same[0].parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      let example = ([same[0].estimator] + parameters).joined(separator: " ")
      let times = same.count > 1 ? "\(same.count) times, first: " : ""
      Report.note("  \(message) (\(times)\(example), fold \(same[0].fold))")
    }
    if common.count > 3 { Report.note("  … and \(common.count - 3) other reasons (see --json)") }
  }
}

extension SearchReport.Best {
  fileprivate init?(_ candidate: CandidateResult?, _ results: SearchResults) {
    guard let candidate, let score = candidate.score(of: results.refitMetric) else { return nil }
    self.init(
      estimator: candidate.estimator.name, parameters: candidate.parameters,
      allParameters: candidate.estimator.parameters, score: score.mean,
      standardDeviation: score.standardDeviation, metric: score.metric,
      candidate: results.candidates.firstIndex { $0.index == candidate.index } ?? 0,
      unconvergedFolds: candidate.unconvergedFolds.keys.sorted(), iterations: candidate.mostIterations,
      residual: candidate.largestResidual.flatMap { $0.isFinite ? $0 : nil })
  }
}
