import Apus
import ArgumentParser

/// `apus fit`: fits one estimator, says what it cost and how good it is, and saves the model.
struct FitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit one estimator, and save the model.",
    usage: "apus fit <data> --estimator <name> [--set <name=value>] … [<options>]",
    discussion: """
      Reports the seconds of reading, fitting and predicting apart, the peak of
      memory, and the metrics on a test file.

      EXAMPLES
        apus fit iris --estimator random-forest-classifier --output iris.model
        apus fit train.csv --target price --estimator ridge --test test.csv
        apus fit wine --estimator standard-scaler+logistic-regression \\
          --set c=0.5 --json
        apus fit digits --estimator k-means --set clusterCount=10
        apus fit features.npy --target-file labels.npy --estimator sgd-classifier \\
          --set batchSize=32      (larger than memory: read as it is needed)
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

  @Option(
    help: ArgumentHelp("A file of other rows to measure the model on.", valueName: "file"),
    completion: .file())
  var test: String?

  @Option(
    help: ArgumentHelp("A .npy list that holds the target of a .npy table of --test.", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var testTargetFile: String?

  @Option(parsing: .unconditional, help: "The seed of everything random.")
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads to use; -1 for every CPU, -2 for all but one.", valueName: "number"))
  var threads = -1

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to save the model.", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Fit and predict a few hundred rows first, so that loading code is not timed.")
  var warmUp = false

  @OptionGroup var printing: OutputOptions

  /// How many rows a fit before the fit learns from.
  private static let warmUpRows = 600

  func run() async throws {
    printing.apply()
    let estimator = try AnyEstimator(named: self.estimator, settings: settings)
    let threads = try ThreadCount.of(threads)
    try data.check(for: estimator.task)
    if let output { try SavedModel.checkWritable(output) }
    Interruption.shared.listen(keepsFinishedParts: false)
    let compute = ComputeContext(threads: threads, cancellation: Interruption.shared.cancellation)

    let (training, loadCost) = try Cost.measuring { try data.load(for: estimator.task) }
    try compute.cancellation.check()
    if warmUp {
      // These rows may lack a class or be too few; the fit of all rows says so if it matters.
      let few = training.gatheringRows(0..<min(Self.warmUpRows, training.rowCount))
      if let model = try? fit(estimator.base, few, FitContext(seed: Seed(seed), compute: compute)) {
        _ = try? Measurement(model, on: few, task: estimator.task, compute)
      }
    }
    let peakBefore = ResidentMemory.peak
    ResidentMemory.resetPeak()
    let before = ResidentMemory.current
    let (model, fitCost) = try WorkDisplay.during("Fitting \(estimator.name)") { progress in
      try Cost.measuring {
        try fit(
          estimator.base, training, FitContext(seed: Seed(seed), compute: compute.reporting(to: progress)))
      }
    }
    // A fit that did not notice is not what the user wants any more.
    try compute.cancellation.check()
    let growth = max(0, ResidentMemory.peak - before)
    var saved = SavedModel(
      estimator: estimator, model: model, fittedOn: training, seed: Seed(seed))

    var report = FitReport(
      estimator: estimator, dataset: data.name, training, seed: seed, threads: threads, model: model,
      seconds: .init(load: loadCost, fit: fitCost))
    let rows = try testRows(training, for: estimator.task)
    let measurement = try rows.map { rows in
      try WorkDisplay.during("Predicting \(Quantities.count(rows.rowCount)) rows") { _ in
        try Measurement(model, on: rows, task: estimator.task, compute)
      }
    }
    if let measurement {
      report.seconds.predict = measurement.cost
      report.metrics = measurement.metrics
      report.testRows = test == nil ? nil : rows?.rowCount
      if let test, let metric = measurement.main {
        saved = SavedModel(
          estimator: estimator, model: model, fittedOn: training, seed: Seed(seed),
          score: .init(metric: metric.name, value: metric.value, measuredBy: RemoteFile.withoutQuery(test)))
      }
    }
    report.memory = .init(peakBytes: max(peakBefore, ResidentMemory.peak), fitGrowthBytes: growth)
    try output.map(saved.write)
    report.output = output
    if printing.json { try StandardOutput.write(json: report) } else { try StandardOutput.write(report.text) }
    if let output { Report.nextStep(savedTo: output, dataset: data.name, what: "model") }
  }

  private func fit<E: Estimator>(_ estimator: E, _ data: Dataset, _ context: FitContext) throws
    -> any FittedModel
  {
    try estimator.fit(data, context)
  }

  /// The rows to measure the model on; a clustering without a test file is measured on its own rows.
  private func testRows(_ training: Dataset, for task: LearningTask) throws -> Dataset? {
    guard let test else { return task == .clustering ? training : nil }
    let rows = try DataSource(test).read(
      data.columns.tableOptions, for: training.schema, targetFile: testTargetFile)
    Report.notes(on: rows)
    if task.needsTarget, case .none = rows.dataset.target {
      throw ApusError(
        .data,
        "\(RemoteFile.withoutQuery(test)) has no column '\(training.targetName ?? "")' to compare predictions with",
        hint: "leave out --test, and use apus predict for rows without a target")
    }
    return rows.dataset
  }
}
