import Apus
import ArgumentParser

/// `apus study best`: the best candidate of a study, fitted on all rows and saved.
struct StudyBestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "best", abstract: "Fit a study's best candidate on all rows, and save it.",
    discussion: """
      DATA must be the rows that the study was made with. Without --output, the
      candidate is only printed.

      EXAMPLES
        apus study best sweep.sqlite digits --output best.model
        apus study best sweep.sqlite train.csv --target price --metric r2 \\
          --output best.model
        apus study best sweep.sqlite digits --one-standard-error
      """)

  @Argument(help: ArgumentHelp("The study's file.", valueName: "file"), completion: .file())
  var file: String

  @OptionGroup var data: DataOptions

  @Option(
    name: .customLong("study"),
    help: ArgumentHelp("The number of the study in its file; the latest unless given.", valueName: "number"))
  var number: Int?

  @Option(
    help: ArgumentHelp("The metric that decides which is best.", valueName: "metric"), completion: .metrics)
  var metric: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to save the model.", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Choose the simplest candidate within a standard error of the best.")
  var oneStandardError = false

  @OptionGroup var printing: OutputOptions

  func run() async throws {
    printing.apply()
    let study = try StudyFile(reading: file).study(number)
    let metric = metric ?? study.description.refitMetric
    if let output { try SavedModel.checkWritable(output) }
    let choice: CandidateChoice = oneStandardError ? .oneStandardError() : .highestMean
    guard let best = try study.chosen(by: choice, metric: metric), let score = best.score(of: metric) else {
      throw ApusError(
        .job, "no candidate of \(file) has a score on every fold",
        hint: try study.progress().failures > 0
          ? "'apus study show' says why fits failed; after 'apus study retry-failed' the search makes them again"
          : "run the search again to finish it")
    }
    let rows = try data.load(for: best.estimator.task)
    guard rows.digest == study.description.dataDigest else {
      throw ApusError(
        .data, "\(data.name) does not hold the rows that the study was made with",
        hint: "give the same file and options"
          + (study.description.note.map { "; the study was begun with: \($0)" } ?? ""))
    }
    if printing.json {
      let results = SearchResults(
        metrics: study.description.metrics, foldCount: study.description.foldCount, refitMetric: metric,
        candidates: [best], failures: [], isComplete: true)
      try StandardOutput.write(json: results.table.objects[0])
    } else {
      let parameters = best.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      try StandardOutput.write(
        "\(([best.estimator.name] + parameters).joined(separator: " ")), \(metric) "
          + "\(Quantities.score(score.mean, deviation: score.standardDeviation))\n")
      let unconverged = best.unconvergedFolds.count
      if unconverged > 0 {
        Report.note(
          "warning: \(unconverged) of \(study.description.foldCount) fits of it stopped before they converged; "
            + ConvergenceNotes.advice)
      }
    }
    guard let output else { return }
    let seed = study.description.seed.derived("refit")
    let model = try WorkDisplay.during("Fitting \(best.estimator.name) on all rows") { progress in
      try best.estimator.base.fittedModel(
        rows, FitContext(seed: seed, compute: .allCPUs.reporting(to: progress)))
    }
    let saved = SavedModel(
      estimator: best.estimator, model: model, fittedOn: rows, seed: seed,
      score: TrainingSummary.Score(
        metric: metric, value: score.mean,
        measuredBy: "\(study.description.foldCount)-fold cross-validation"))
    try saved.write(to: output)
    if let convergence = model.convergence {
      ConvergenceNotes.say(convergence, of: "the model, fitted on all rows,")
    }
    Report.nextStep(savedTo: output, dataset: data.name, what: "best model")
  }
}
