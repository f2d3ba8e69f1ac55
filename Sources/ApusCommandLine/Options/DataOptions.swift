import Apus
import ArgumentParser

/// Which data to read, and what its columns are.
struct DataOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A file, its address (s3://, gs://, https://), or the name of a bundled dataset.", valueName: "data"),
    completion: .datasets)
  var data: String

  /// What the data is called in results: an address loses its query, which may be a secret.
  var name: String { RemoteFile.withoutQuery(data) }

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The column to predict, by name or position (-1: the last); 'none' for no target.",
      valueName: "column"))
  var target: String?

  @Option(
    help: ArgumentHelp(
      "A .npy list that holds the target of a .npy table, which is then read from the disk as it is needed.",
      valueName: "file"), completion: .file(extensions: ["npy"]))
  var targetFile: String?

  @Option(
    help: ArgumentHelp("A .npy list that holds the row weights of a .npy table.", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var weightsFile: String?

  @OptionGroup var columns: ColumnOptions

  /// Reads the rows for an estimator of some task.
  ///
  /// - Throws: ``ApusError``: `invalidParameter` when a target is needed and none is named; what reading
  ///   throws.
  func load(for task: LearningTask) throws -> Dataset {
    let source = DataSource(data)
    var options = try columns.tableOptions
    options.targetKind = task.targetKind
    options.target = try targetColumn(for: task, source)
    do {
      return try source.read(options, targetFile: targetFile, weightsFile: weightsFile)
    } catch var error as ApusError where error.hint?.hasPrefix("to predict classes") == true {
      error.hint = "to predict classes, choose a classifier ('apus estimators' lists them)"
      throw error
    }
  }

  /// Checks what can be checked before anything is read.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func check(for task: LearningTask) throws {
    _ = try columns.tableOptions
    _ = try targetColumn(for: task, DataSource(data))
    guard targetFile != nil || weightsFile != nil, !DataSource(data).isArrayFile else { return }
    throw ApusError(
      .invalidParameter,
      "--target-file and --weights-file go with a table in a .npy file, and \(name) is none",
      hint: "name a column: --target COLUMN, --weights COLUMN")
  }

  private func targetColumn(for task: LearningTask, _ source: DataSource) throws -> ColumnReference? {
    guard targetFile == nil || target == nil, weightsFile == nil || columns.weights == nil else {
      throw ApusError(
        .invalidParameter, "a column and a file are given for the same thing",
        hint: "leave out --target or --target-file, --weights or --weights-file")
    }
    if targetFile != nil { return nil }
    if target == "none" {
      guard !task.needsTarget else {
        throw ApusError(
          .invalidParameter, "\(task.rawValue) needs a target, but --target is 'none'",
          hint: "name the column to predict: --target COLUMN")
      }
      return nil
    }
    // The target of a bundled dataset is known, so that clusters are not made of it.
    if let column = target.map({ .name($0) }) ?? source.knownTarget { return column }
    guard task.needsTarget, !source.hasTarget else { return nil }
    throw ApusError(
      .invalidParameter, "\(name): which column should be predicted?",
      hint: "name it with --target COLUMN, or --target -1 for the last column")
  }
}

/// How the text of a file is laid out.
struct LayoutOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("What stands between cells: a character, 'tab' or 'space'.", valueName: "character"))
  var delimiter: String?

  @Flag(name: .customLong("no-header"), help: "The first row is data; columns are named x0, x1, ….")
  var noHeader = false

  /// The options for the reader.
  var tableOptions: TableOptions {
    get throws {
      TableOptions(header: noHeader ? .absent : .automatic, delimiter: try delimiterCharacter)
    }
  }

  private var delimiterCharacter: Character? {
    get throws {
      switch delimiter {
      case nil: return nil
      case "tab", "\\t": return "\t"
      case "space": return " "
      case let text?:
        guard text.utf8.count == 1, let character = text.first else {
          throw ApusError(
            .invalidParameter, "--delimiter '\(text)' is not one character",
            hint: "write one character, 'tab' or 'space'")
        }
        return character
      }
    }
  }
}

/// What the columns of a file are, beside its target.
struct ColumnOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("A column of row weights.", valueName: "column"))
  var weights: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A column that says which group a row belongs to.", valueName: "column"))
  var groups: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A column to leave out; may be given again.", valueName: "column"))
  var drop: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A column of numbers that name categories; may be given again.", valueName: "column"))
  var categorical: [String] = []

  @OptionGroup var layout: LayoutOptions

  /// The options for the reader, without a target.
  var tableOptions: TableOptions {
    get throws {
      var options = try layout.tableOptions
      options.weights = weights.map { .name($0) }
      options.groups = groups.map { .name($0) }
      options.dropped = drop.map { .name($0) }
      options.categorical = categorical.map { .name($0) }
      return options
    }
  }
}

extension LearningTask {
  /// Whether learning needs to be told the right answers.
  var needsTarget: Bool { self == .classification || self == .regression }

  /// How a target column is to be read.
  var targetKind: TargetKind {
    switch self {
    case .classification: .classes
    case .regression: .values
    case .clustering, .transformation: .automatic
    }
  }
}
