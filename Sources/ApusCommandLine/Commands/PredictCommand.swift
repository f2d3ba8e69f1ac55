import Apus
import ArgumentParser

/// `apus predict`: what a saved model says about new rows.
struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predict new rows with a saved model.",
    usage: "apus predict <model> <data> [<options>]",
    discussion: """
      Columns are matched by name: their order does not matter, and columns that
      the model does not know are left out with a note. Prints CSV, a line a row.

      EXAMPLES
        apus predict iris.model flowers.csv
        apus predict iris.model flowers.csv --probabilities --output answers.csv
        apus predict iris.model flowers.csv --json
      """)

  @Argument(
    help: ArgumentHelp("A model that 'fit' or 'search' saved.", valueName: "model"),
    completion: .file())
  var model: String

  @Argument(
    help: ArgumentHelp(
      "A file, its address (s3://, gs://, https://), or the name of a bundled dataset.", valueName: "data"),
    completion: .datasets)
  var data: String

  @Flag(help: "Print the probability of each class too.")
  var probabilities = false

  @OptionGroup var layout: LayoutOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads to use; -1 for every CPU, -2 for all but one.", valueName: "number"))
  var threads = -1

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to write the predictions.", valueName: "file"),
    completion: .file())
  var output: String?

  @OptionGroup var printing: OutputOptions

  func run() async throws {
    printing.apply()
    let threads = try ThreadCount.of(threads)
    if let output { try AtomicFile.checkWritable(output) }
    let saved = try SavedModel(contentsOf: model)
    guard !probabilities || (saved.model as? any ProbabilityModel)?.givesProbabilities == true else {
      throw ApusError(
        .unsupported, "this \(saved.estimator.name) model gives no probabilities",
        hint: "leave out --probabilities"
          + (saved.model is any ProbabilityModel ? ", or fit it with --set probability=true" : ""))
    }
    Interruption.shared.listen(keepsFinishedParts: false)
    let compute = ComputeContext(threads: threads, cancellation: Interruption.shared.cancellation)
    let rows = try DataSource(data).read(layout.tableOptions, for: saved.schema)
    Report.notes(on: rows)
    let predictions = try WorkDisplay.during("Predicting \(Quantities.count(rows.dataset.rowCount)) rows") {
      _ in try Predictions(saved, rows.dataset, withProbabilities: probabilities, compute)
    }
    try compute.cancellation.check()
    try write(predictions)
  }

  private func write(_ predictions: Predictions) throws {
    let isJSON = printing.json || output?.hasSuffix(".json") == true
    let text = isJSON ? try StandardOutput.json(predictions) : predictions.commaSeparated
    guard let output else { return try StandardOutput.write(text) }
    try AtomicFile.write(text.utf8, to: output)
    Report.note("Wrote \(Quantities.count(predictions.rowCount)) predictions to \(output)")
  }
}
