import Apus
import ArgumentParser
import Dispatch

/// `apus evaluate`: how good one estimator is, by cross-validation.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Score one estimator by cross-validation.",
    usage: "apus evaluate <data> --estimator <name> [<options>]",
    discussion: """
      EXAMPLES
        apus evaluate digits --estimator random-forest-classifier --cv 5
        apus evaluate train.csv --target price --estimator ridge --cv shuffle:10:0.2 \\
          --scoring r2 --scoring mae
        apus evaluate visits.csv --target ill --groups patient --cv group:5 \\
          --estimator standard-scaler+logistic-regression
      """)

  @OptionGroup var data: DataOptions

  @Option(
    help: ArgumentHelp("The estimator; 'apus estimators' lists them.", valueName: "name"),
    completion: .estimators)
  var estimator: String

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("A parameter of the estimator; may be given again.", valueName: "name=value"))
  var settings: [String] = []

  @OptionGroup var comparison: CrossValidationOptions
  @OptionGroup var printing: OutputOptions

  func run() async throws {
    printing.apply()
    let estimator = try AnyEstimator(named: self.estimator, settings: settings)
    var options = try comparison.searchOptions(
      for: estimator.task, defaultScoring: estimator.task.usualScoring)
    try comparison.checkDivision(hasGroups: data.columns.groups != nil)
    let backend = try await comparison.makeBackend()
    try data.check(for: estimator.task)

    Interruption.shared.listen(keepsFinishedParts: true)
    let cancellation = Interruption.shared.cancellation
    let start = DispatchTime.now()
    let rows = try data.load(for: estimator.task)
    try cancellation.check()
    options.splitter = try comparison.splitter(for: estimator.task, rows)
    let progress = SearchProgress(backend: backend)
    defer { progress.finish() }
    let results = try await crossValidate(
      estimator.base, on: rows, options, backend: backend, cancellation: cancellation,
      onEvent: progress.handle)
    progress.finish()
    guard let scored = results.candidates.first else {
      throw ApusError(.cancelled, "the evaluation was stopped before a fold was finished")
    }
    var report = EvaluationReport(
      results, scored, dataset: data.name, rows, seed: comparison.seed, backend: backend)
    report.elapsedSeconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    if printing.json {
      try StandardOutput.write(json: report)
    } else {
      try StandardOutput.write(report.text(width: Terminal.standardOutput.width))
    }
    report.sayNotes()
    if let signal = Interruption.shared.signal, !results.isComplete {
      throw ExitStatus.interrupted(signal: signal)
    }
    if !results.failures.isEmpty { throw ExitStatus.someFitsFailed }
  }
}

extension LearningTask {
  /// Metrics that say together how good an estimator is.
  fileprivate var usualScoring: [String] {
    switch self {
    case .classification: ["accuracy", "balanced_accuracy", "f1_macro"]
    case .regression: ["r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"]
    case .clustering: ["neg_inertia", "silhouette_score"]
    case .transformation: []
    }
  }
}
