import Apus
import ArgumentParser

/// How candidates are compared, and where their fits run.
struct CrossValidationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How to divide the rows: a number of folds, or \(SplitterArgument.spellings).", valueName: "folds"))
  var cv = "5"

  @Flag(help: "Shuffle the rows before they are divided into folds.")
  var shuffle = false

  @Option(
    help: ArgumentHelp(
      "A metric, named as in scikit-learn; may be given again. The first one ranks.", valueName: "metric"),
    completion: .metrics)
  var scoring: [String] = []

  @Flag(help: "Score the training rows too.")
  var trainScores = false

  @Option(parsing: .unconditional, help: "The seed of everything random.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp("Where fits run: threads, processes, sequential or dask.", valueName: "name"),
    completion: .list(BackendName.allCases.map(\.rawValue)))
  var backend = BackendName.threads.rawValue

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many fits run at once; -1 for every CPU, -2 for all but one.", valueName: "number"))
  var workers: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Stop fits that take longer, with --backend processes or dask.", valueName: "seconds"))
  var fitTimeout: Double?

  @Option(
    help: ArgumentHelp(
      "Replace workers that keep more memory than this (500MB, 2GB), with --backend processes or dask.",
      valueName: "size"))
  var workerMemory: String?

  @OptionGroup(title: "Cluster options") var cluster: ClusterOptions

  /// The backend that was asked for.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; of kind `job` for a cluster that does not answer.
  func makeBackend() async throws -> any ParallelBackend {
    guard let name = BackendName(rawValue: backend.lowercased()) else {
      let names = BackendName.allCases.map(\.rawValue)
      let suggestion = names.nearest(to: backend).map { "did you mean '\($0)'? " } ?? ""
      throw ApusError(
        .invalidParameter, "there is no backend '\(backend)'",
        hint: "\(suggestion)known: \(names.joined(separator: ", "))")
    }
    if fitTimeout != nil, name != .processes, name != .dask {
      throw ApusError(
        .invalidParameter, "a fit that runs in this process cannot be stopped from outside",
        hint: "use --backend processes with --fit-timeout")
    }
    if workerMemory != nil, name != .processes, name != .dask {
      throw ApusError(
        .invalidParameter, "the memory of this process cannot be given back between fits",
        hint: "use --backend processes with --worker-memory")
    }
    if name != .dask { try cluster.refuseWithoutCluster() }
    switch name {
    case .dask:
      return try await cluster.connect(
        slotLimit: workers == -1 ? nil : workers, jobTimeout: fitTimeout,
        memoryLimit: try workerMemory.map { try ByteCount($0).bytes })
    case .processes:
      return try ProcessBackend(
        registry: .modelSelection, workers: workers ?? -1, jobTimeout: fitTimeout,
        memoryLimit: try workerMemory.map { try ByteCount($0).bytes }, onOutput: { Report.line($0) })
    case .threads: return try ThreadBackend(workers: workers ?? -1)
    case .sequential:
      guard (workers ?? 1) == 1 else {
        throw ApusError(
          .invalidParameter, "the sequential backend has one worker, not \(workers ?? 1)",
          hint: "leave out --workers, or use --backend threads")
      }
      return SequentialBackend()
    }
  }

  /// The options of the search, without the splitter, which may need the data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for metrics that do not exist or suit the task, of kind
  ///   `unsupported` for a task without a score.
  func searchOptions(for task: LearningTask, defaultScoring: [String] = []) throws -> SearchOptions {
    _ = try SplitterArgument(cv)
    _ = try Metric.default(for: task)
    let metrics = try (scoring.isEmpty ? defaultScoring : scoring).map(Metric.named)
    for metric in metrics where metric.task != task {
      let suitable = Metric.all.filter { $0.task == task }.map(\.name)
      throw ApusError(
        .invalidParameter,
        "the metric \(metric.name) is for \(metric.task.rawValue), not for \(task.rawValue)",
        hint: "known for \(task.rawValue): \(suitable.joined(separator: ", "))")
    }
    return SearchOptions(metrics: metrics, includesTrainScores: trainScores, seed: Seed(seed))
  }

  /// Checks what can be known of the division before the rows are.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func checkDivision(hasGroups: Bool) throws {
    try SplitterArgument(cv).check(shuffle: shuffle, hasGroups: hasGroups)
  }

  /// The splitter for some rows.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func splitter(for task: LearningTask, _ data: Dataset) throws -> any Splitter {
    try SplitterArgument(cv).splitter(for: task, shuffle: shuffle, data: data)
  }
}

/// The backends that this program knows.
enum BackendName: String, CaseIterable {
  case threads
  case processes
  case sequential
  case dask
}
