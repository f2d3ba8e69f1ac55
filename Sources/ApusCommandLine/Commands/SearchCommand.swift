import Apus
import ArgumentParser
import Dispatch

/// `apus search`: finds the best hyperparameters by cross-validation, and saves the best model.
struct SearchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search for the best estimator and parameters.",
    usage: "apus search <data> --estimator <name> … [<options>]",
    discussion: """
      Every combination of the values is scored by cross-validation; with
      --random, some are drawn. A parameter applies to each estimator that has
      it. Values are written as
        'maxDepth=[4,8,null]'     these values
        'c=log(1e-3,1e3,7)'       seven numbers, evenly spaced by their logarithms
        'alpha=linear(0,1,5)'     five numbers, evenly spaced
        'treeCount=range(50,200,50)'
        'c=loguniform(1e-3,1e3)'  drawn at random; so are uniform(…) and integer(…)

      EXAMPLES
        apus search diabetes --estimator ridge --param 'alpha=log(1e-3,1e3,7)'
        apus search letter --estimator random-forest-classifier \\
          --estimator standard-scaler+logistic-regression \\
          --param 'maxDepth=[8,null]' --param 'c=[1,10]' --output best.model
        apus search train.csv --target price --estimator ridge --random 20 \\
          --param 'alpha=loguniform(1e-3,1e3)' --scoring r2 --results results.csv
        apus search letter --estimator svc --method tpe --random 40 --patience 15 \\
          --param 'c=loguniform(1e-2,1e3)' --param 'gamma=loguniform(1e-4,1)'
        apus search digits --estimator extra-trees-classifier --method halving \\
          --resource treeCount --most 200 --param 'maxFeatures=[2,4,8,16,32]'
        apus search diabetes --estimator ridge --param 'alpha=[1,10]' --study a.sqlite
        apus search diabetes --estimator ridge --param 'alpha=[1,10]' --nested 5 \\
          --study b.sqlite
      """)

  @OptionGroup var data: DataOptions

  @Option(
    help: ArgumentHelp("An estimator to try; may be given again.", valueName: "name"), completion: .estimators
  )
  var estimator: [String] = []

  @Option(
    help: ArgumentHelp("A parameter and the values to try; may be given again.", valueName: "name=values"))
  var param: [String] = []

  @Option(
    help: ArgumentHelp("A YAML or JSON file of estimators and values.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var space: String?

  @OptionGroup(title: "CHOOSING") var choosing: SearchMethodOptions

  @OptionGroup var comparison: CrossValidationOptions

  @Option(
    help: ArgumentHelp("The metric that decides which is best; the first unless given.", valueName: "metric"),
    completion: .metrics)
  var refit: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to save the best model.", valueName: "file"),
    completion: .file())
  var output: String?

  @Option(
    help: ArgumentHelp("Where to write all results, as CSV (or JSON: .json).", valueName: "file"),
    completion: .file())
  var results: String?

  @Option(
    help: ArgumentHelp(
      "Keep every finished fit in this file; the same command again continues.", valueName: "file"),
    completion: .file())
  var study: String?

  @Flag(help: "Begin a new study in the file of --study.")
  var new = false

  @Option(
    help: ArgumentHelp(
      "Also say what the search is worth on new rows: search again on the training rows of each of these "
        + "folds (written as for --cv), and score what was chosen on their test rows.", valueName: "folds"))
  var nested: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How many rows of the ranking to print.", valueName: "number")
  )
  var top = 10

  @OptionGroup var printing: OutputOptions

  func run() async throws {
    printing.apply()
    guard top >= 1 else {
      throw ApusError(.invalidParameter, "--top must be at least 1, but is \(top)")
    }
    let space = try SearchSpaceArguments(estimators: estimator, parameters: param, file: self.space).space
    let task = try commonTask(of: space)
    var options = try comparison.searchOptions(for: task)
    try comparison.checkDivision(hasGroups: data.columns.groups != nil)
    options.refitMetric = try refit.map(Metric.named)
    options.refits = output != nil
    var search = try choosing.search(space, options)
    _ = try search.candidateCount()
    let backend = try await comparison.makeBackend()
    try data.check(for: task)
    guard study != nil || !new else {
      throw ApusError(.invalidParameter, "--new begins a new study, but there is no --study FILE")
    }
    let outer = try nested.map { try SplitterArgument($0, option: "--nested") }
    try outer?.check(shuffle: comparison.shuffle, hasGroups: data.columns.groups != nil)
    let file = try study.map { try StudyFile($0) }
    if let output { try SavedModel.checkWritable(output) }
    if let results { try AtomicFile.checkWritable(results) }

    Interruption.shared.listen(keepsFinishedParts: true)
    let cancellation = Interruption.shared.cancellation
    let start = DispatchTime.now()
    let rows = try data.load(for: task)
    let readingSeconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    try cancellation.check()
    search.options.splitter = try comparison.splitter(for: task, rows)
    let outerSplitter = try outer?.splitter(for: task, shuffle: comparison.shuffle, data: rows)
    // Outer folds that cannot be made are said before anything is fitted.
    _ = try outerSplitter?.splits(of: rows, seed: search.options.seed)
    let metrics = search.options.metrics
    let progress = SearchProgress(
      rankingMetric: search.options.refitMetric.flatMap { metrics.firstIndex(of: $0) ?? metrics.count } ?? 0,
      backend: backend)
    defer { progress.finish() }
    let kept = file.map {
      search.kept(in: $0, startingAnew: new, note: Self.commandLine, version: apusVersion)
    }
    let outcome = try await (kept ?? search).run(
      on: rows, backend: backend, cancellation: cancellation, onEvent: progress.handle)
    progress.finish()

    var report = SearchReport(
      outcome, dataset: data.name, rows, seed: comparison.seed, backend: backend, fits: progress.fits)
    if let outerSplitter, outcome.results.isComplete {
      // The study that --new has begun is the latest, and so the one that nested searches belong to.
      let kept = file.map { search.kept(in: $0, note: Self.commandLine, version: apusVersion) }
      report.nested = try await nestedReport(kept ?? search, rows, outerSplitter, backend, cancellation)
    }
    if let output, let saved = savedModel(outcome, rows) {
      try saved.write(to: output)
      report.output = output
    }
    if let results { try AtomicFile.write(report.resultsFile(named: results).utf8, to: results) }
    report.readingSeconds = readingSeconds
    report.elapsedSeconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    try print(report)
    if let signal = Interruption.shared.signal, !report.isComplete {
      throw ExitStatus.interrupted(signal: signal)
    }
    if let signal = Interruption.shared.signal, nested != nil, report.nested == nil {
      throw ExitStatus.interrupted(signal: signal)
    }
    if !report.failures.isEmpty { throw ExitStatus.someFitsFailed }
  }

  /// Searches once more on each outer split. An interruption leaves the ranking, which is there already.
  private func nestedReport(
    _ search: any HyperparameterSearch, _ rows: Dataset, _ outer: any Splitter,
    _ backend: any ParallelBackend, _ cancellation: Cancellation
  ) async throws -> SearchReport.Nested? {
    let progress = SearchProgress(backend: backend)
    defer { progress.finish() }
    do {
      return SearchReport.Nested(
        try await nestedCrossValidate(
          search, on: rows, outer: outer, backend: backend, cancellation: cancellation
        ) { split, event in
          if case .started = event { Report.note("Nested search on outer split \(split + 1):") }
          progress.handle(event)
        })
    } catch let error as ApusError where error.kind == .cancelled { return nil }
  }

  /// The command, to be shown to whoever looks at the study later.
  private static var commandLine: String {
    (["apus"] + CommandLine.arguments.dropFirst().map { Report.quoted(RemoteFile.withoutQuery($0)) }).joined(
      separator: " ")
  }

  private func commonTask(of space: SearchSpace) throws -> LearningTask {
    let types = try space.estimatorNames.map(EstimatorRegistry.shared.type)
    guard let first = types.first else {
      throw ApusError(.invalidParameter, "the search has no estimator", hint: "name one with --estimator")
    }
    for other in types where other.task != first.task {
      throw ApusError(
        .invalidParameter,
        "\(first.name) is for \(first.task.rawValue), but \(other.name) is for \(other.task.rawValue)",
        hint: "search estimators of one task at a time")
    }
    return first.task
  }

  private func savedModel(_ outcome: SearchOutcome, _ rows: Dataset) -> SavedModel? {
    guard let model = outcome.bestModel, let best = outcome.chosen else { return nil }
    let metric = outcome.results.refitMetric
    let score = best.score(of: metric).map {
      TrainingSummary.Score(
        metric: metric, value: $0.mean, measuredBy: "\(outcome.results.foldCount)-fold cross-validation")
    }
    return SavedModel(
      estimator: best.estimator, model: model, fittedOn: rows, seed: Seed(comparison.seed).derived("refit"),
      score: score)
  }

  private func print(_ report: SearchReport) throws {
    if printing.json {
      try StandardOutput.write(json: report)
    } else {
      try StandardOutput.write(report.text(top: top, width: Terminal.standardOutput.width))
    }
    report.sayNotes()
    if let output = report.output {
      Report.nextStep(savedTo: output, dataset: data.name, what: "best model")
    } else if output == nil, report.best != nil {
      Report.note("To keep the best model, add: --output best.model")
    }
  }
}
