import Apus
import ArgumentParser

/// `apus inspect`: what a saved model gets right and wrong on some rows, and what it goes by.
struct InspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Look at what a saved model gets right, and what it goes by.",
    usage: "apus inspect <model> <data> [<options>]",
    discussion: """
      The rows need their target; rows that the model has not learnt from tell
      most. For classes: scores a class, the confusion matrix, areas under the
      curves, and whether probabilities can be believed. For numbers: how large
      the errors are. For both: by how much the score falls when a feature is
      shuffled. --json has the curves, point by point.

      EXAMPLES
        apus inspect iris.model flowers.csv
        apus inspect price.model test.csv --scoring r2 --repeats 20 --top 5
        apus inspect iris.model flowers.csv --repeats 0 --json
      """)

  @Argument(
    help: ArgumentHelp("A model that 'fit' or 'search' saved.", valueName: "model"), completion: .file())
  var model: String

  @Argument(
    help: ArgumentHelp(
      "A file, its address (s3://, gs://, https://), or the name of a bundled dataset.", valueName: "data"),
    completion: .datasets)
  var data: String

  @Option(
    help: ArgumentHelp("A .npy list that holds the target of a .npy table.", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var targetFile: String?

  @OptionGroup var columns: ColumnOptions

  @Option(
    help: ArgumentHelp(
      "The metric whose fall is measured; the task's own unless given.", valueName: "metric"),
    completion: .metrics)
  var scoring: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How often each feature is shuffled; 0 leaves it out.", valueName: "number"))
  var repeats = 5

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many features and classes to print.", valueName: "number"))
  var top = 20

  @Option(parsing: .unconditional, help: "The seed of the shuffles.")
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads to use; -1 for every CPU, -2 for all but one.", valueName: "number"))
  var threads = -1

  @OptionGroup var printing: OutputOptions

  func run() async throws {
    printing.apply()
    guard repeats >= 0, repeats <= PermutationImportance.mostRepeats else {
      throw ApusError(
        .invalidParameter,
        "--repeats must lie between 0 and \(PermutationImportance.mostRepeats.grouped), but is \(repeats.grouped)"
      )
    }
    guard top >= 1 else {
      throw ApusError(.invalidParameter, "--top must be at least 1, but is \(top)")
    }
    let threads = try ThreadCount.of(threads)
    let metric = try scoring.map(Metric.named)
    let saved = try SavedModel(contentsOf: model)
    guard saved.task.needsTarget else {
      throw ApusError(
        .unsupported, "\(saved.estimator.name) predicts neither classes nor numbers",
        hint: "see apus evaluate")
    }
    Interruption.shared.listen(keepsFinishedParts: false)
    let compute = ComputeContext(threads: threads, cancellation: Interruption.shared.cancellation)
    let rows = try DataSource(data).read(columns.tableOptions, for: saved.schema, targetFile: targetFile)
    Report.notes(on: rows)
    let name = RemoteFile.withoutQuery(data)
    if case .none = rows.dataset.target {
      throw ApusError(
        .data, "\(name) has no column '\(saved.schema.targetName ?? "")' to compare predictions with",
        hint: "use apus predict for rows without a target")
    }
    var report = try WorkDisplay.during("Predicting \(Quantities.count(rows.dataset.rowCount)) rows") { _ in
      try InspectionReport(saved, name, rows.dataset, compute)
    }
    if repeats > 0 {
      let importance = try WorkDisplay.during("Shuffling features, \(repeats) times each") { progress in
        try PermutationImportance(
          of: saved.model, on: rows.dataset, metric: metric ?? saved.task.mainMetric, repeats: repeats,
          seed: Seed(seed), compute.reporting(to: progress))
      }
      report.take(importance)
    }
    if printing.json {
      try StandardOutput.write(json: report)
    } else {
      try StandardOutput.write(report.text(top: top, width: Terminal.standardOutput.width))
    }
  }
}

extension LearningTask {
  /// What shuffling a feature is measured by.
  fileprivate var mainMetric: Metric { self == .classification ? .accuracy : .r2 }
}
