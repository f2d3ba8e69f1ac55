import Apus

/// How the rows are divided for cross-validation, as `--cv` spells it: `5`, `stratified:5`, `shuffle:10:0.2`.
struct SplitterArgument: Sendable {
  private enum Method: String, CaseIterable {
    case kFold = "k-fold"
    case stratified
    case group
    case predefined
    case repeated
    case repeatedStratified = "repeated-stratified"
    case shuffle
    case stratifiedShuffle = "stratified-shuffle"
    case timeSeries = "time-series"

    /// The fields after the name, as they stand in messages.
    var fields: String {
      switch self {
      case .kFold, .stratified, .group: "FOLDS"
      case .predefined: ""
      case .repeated, .repeatedStratified: "FOLDS:REPEATS"
      case .shuffle, .stratifiedShuffle: "SPLITS:TEST_FRACTION"
      case .timeSeries: "SPLITS"
      }
    }
  }

  /// Every spelling, for the help.
  static let spellings = Method.allCases
    .map { $0.fields.isEmpty ? $0.rawValue : "\($0.rawValue):\($0.fields)" }.joined(separator: ", ")

  /// The text as the user wrote it.
  let text: String
  /// The option that it was written for.
  private let option: String
  private let method: Method?
  /// The number of folds or splits.
  private let first: Int?
  private let repeats: Int
  private let testFraction: Double

  /// Reads a spelling.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that lists the valid ones, or says which number cannot be.
  init(_ text: String, option: String = "--cv") throws {
    self.text = text
    self.option = option
    let fields = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    func wrong(_ hint: String? = nil) -> ApusError {
      ApusError(
        .invalidParameter, "'\(option) \(text)' does not say how to divide the rows",
        hint: hint ?? "give a number of folds, or one of: \(Self.spellings)")
    }
    if fields.count == 1, let folds = Int(text) {
      (method, first, repeats, testFraction) = (nil, folds, 1, 0.2)
      try checkCounts()
      return
    }
    let names = Method.allCases.map(\.rawValue)
    let folded = fields[0].lowercased().filter { $0 != "-" && $0 != "_" }
    let aliases = ["kfold": Method.kFold, "stratifiedkfold": .stratified, "groupkfold": .group]
    guard
      let method = aliases[folded]
        ?? Method.allCases.first(where: { $0.rawValue.filter { $0 != "-" } == folded })
    else {
      throw wrong(
        names.nearest(to: fields[0]).map { "did you mean '\($0)'? valid: \(Self.spellings)" })
    }
    let most = method.fields.isEmpty ? 1 : method.fields.split(separator: ":").count + 1
    guard fields.count <= most else { throw wrong("write \(method.rawValue):\(method.fields)") }
    self.method = method
    if fields.count > 1 {
      guard let count = Int(fields[1]) else { throw wrong("'\(fields[1])' is not a whole number") }
      first = count
    } else {
      first = nil
    }
    let second = fields.count > 2 ? fields[2] : nil
    let isRepeated = method == .repeated || method == .repeatedStratified
    repeats = isRepeated ? try Self.repeats(second, "\(option) \(text)") : 1
    testFraction = isRepeated ? 0.2 : try Self.testFraction(second, "\(option) \(text)")
    try checkCounts()
  }

  /// Refuses numbers of folds and splits that no data can be divided into.
  private func checkCounts() throws {
    let first = first ?? (method == .shuffle || method == .stratifiedShuffle ? 10 : 5)
    let (least, what) =
      switch method {
      case .shuffle, .stratifiedShuffle: (1, "split")
      case .timeSeries: (2, "splits")
      default: (2, "folds")
      }
    guard first >= least else {
      throw ApusError(
        .invalidParameter, "'\(option) \(text)' asks for \(first), but needs at least \(least) \(what)")
    }
    let (total, overflow) = first.multipliedReportingOverflow(by: repeats)
    guard overflow || total > Split.mostCount else { return }
    throw ApusError(
      .invalidParameter,
      "'\(option) \(text)' asks for more than \(Split.mostCount.grouped) divisions of the rows",
      hint: "use fewer folds, splits or repeats")
  }

  /// Checks what can be known of the division before the rows are.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when the rows have no groups that it needs, or when it shuffles
  ///   them by itself or not at all.
  func check(shuffle: Bool, hasGroups: Bool) throws {
    if shuffle { try checkShuffle() }
    if method == .group || method == .predefined, !hasGroups { throw groupsAreMissing }
  }

  /// The splitter for a task and a data set.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when the parts do not fit together.
  func splitter(for task: LearningTask, shuffle: Bool, data: Dataset) throws -> any Splitter {
    if shuffle { try checkShuffle() }
    let folds = first ?? 5
    switch method ?? (task == .classification ? .stratified : .kFold) {
    case .kFold: return KFold(folds: folds, shuffle: shuffle)
    case .stratified: return StratifiedKFold(folds: folds, shuffle: shuffle)
    case .group:
      try requireGroups(data)
      return GroupKFold(folds: folds, shuffle: shuffle)
    case .predefined:
      return PredefinedSplit(foldOfRow: try requireGroups(data).map(Int.init))
    case .repeated: return RepeatedKFold(folds: folds, repeats: repeats)
    case .repeatedStratified: return RepeatedKFold(folds: folds, repeats: repeats, stratified: true)
    case .shuffle: return ShuffleSplit(splitCount: first ?? 10, testFraction: testFraction)
    case .stratifiedShuffle:
      return StratifiedShuffleSplit(splitCount: first ?? 10, testFraction: testFraction)
    case .timeSeries: return TimeSeriesSplit(splitCount: folds)
    }
  }

  /// The division in words, for saved models: `5-fold cross-validation`.
  var description: String {
    method == nil ? "\(first ?? 5)-fold cross-validation" : "cross-validation (\(text))"
  }

  private func checkShuffle() throws {
    switch method {
    case nil, .kFold, .stratified, .group: return
    case .predefined, .timeSeries:
      throw ApusError(
        .invalidParameter, "'\(option) \(text)' keeps the order of the rows; leave out --shuffle")
    case .repeated, .repeatedStratified, .shuffle, .stratifiedShuffle:
      throw ApusError(.invalidParameter, "'\(option) \(text)' shuffles by itself; leave out --shuffle")
    }
  }

  @discardableResult
  private func requireGroups(_ data: Dataset) throws -> [Int32] {
    guard let groups = data.groups else { throw groupsAreMissing }
    return groups
  }

  private var groupsAreMissing: ApusError {
    ApusError(
      .invalidParameter, "'\(option) \(text)' needs to know the group of each row",
      hint: "name the column with --groups COLUMN")
  }

  private static func repeats(_ field: String?, _ written: String) throws -> Int {
    guard let field else { return 10 }
    guard let repeats = Int(field), repeats > 0 else {
      throw ApusError(.invalidParameter, "'\(written)': '\(field)' is not a number of repeats")
    }
    return repeats
  }

  private static func testFraction(_ field: String?, _ written: String) throws -> Double {
    guard let field else { return 0.2 }
    guard let fraction = Double(field), fraction > 0, fraction < 1 else {
      throw ApusError(
        .invalidParameter, "'\(written)': '\(field)' is not a fraction of the rows",
        hint: "write a number between 0 and 1, such as 0.2")
    }
    return fraction
  }
}
