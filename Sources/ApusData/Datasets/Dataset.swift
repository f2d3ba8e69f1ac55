import ApusLinearAlgebra
import ApusParallel

/// A table to learn from: features `n × p`, and what belongs to each row: a target, a weight, a group.
///
/// A missing feature is NaN. Parts are checked against each other once, here, so that an estimator can rely
/// on them.
///
/// ```swift
/// let data = try Dataset(
///   features: Matrix([[1.0, 2.0], [3.0, 4.0]]), target: .classes(["yes", "no"]))
/// ```
public struct Dataset: Sendable {
  /// The features, one row a sample.
  public let features: Matrix<Double>
  /// The name and, for a categorical column, the categories of each feature; `p` of them.
  public let columns: [Feature]
  /// What is to be predicted.
  public let target: Target
  /// The weight of each row in fits and scores, at least 0; nil where all count the same.
  public let weights: [Double]?
  /// The group of each row, for splitters that keep groups together; nil without groups.
  public let groups: [Int32]?
  /// The name of the target column, where the data came from a file that names it.
  public let targetName: String?
  let digestCache: DigestCache

  /// Creates a data set from its parts.
  ///
  /// - Parameters:
  ///   - features: `n × p`; NaN where a value is missing.
  ///   - columns: `p` descriptions; numeric columns named `x0`, `x1`, … unless given.
  ///   - target: `n` values or classes, or none.
  ///   - weights: `n` finite numbers of at least 0.
  ///   - groups: `n` group numbers.
  ///   - targetName: the target's name for messages and saved models.
  /// - Throws: ``ApusError`` of kind `shape` when lengths do not fit the features, of kind `data` when a
  ///   weight, a class index or a target value is not valid.
  public init(
    features: Matrix<Double>, columns: [Feature]? = nil, target: Target = .none, weights: [Double]? = nil,
    groups: [Int32]? = nil, targetName: String? = nil
  ) throws {
    self.features = features
    self.columns = columns ?? (0..<features.columnCount).map { Feature(name: "x\($0)") }
    self.target = target
    self.weights = weights
    self.groups = groups
    self.targetName = targetName
    digestCache = DigestCache()
    try checkLengths()
    try checkValues()
  }

  /// Takes parts that came out of a checked data set.
  init(
    uncheckedFeatures features: Matrix<Double>, columns: [Feature], target: Target, weights: [Double]?,
    groups: [Int32]?, targetName: String?
  ) {
    self.features = features
    self.columns = columns
    self.target = target
    self.weights = weights
    self.groups = groups
    self.targetName = targetName
    digestCache = DigestCache()
  }

  /// The number of rows, `n`.
  public var rowCount: Int { features.rowCount }

  /// The number of features, `p`.
  public var featureCount: Int { features.columnCount }

  /// The names of the features.
  public var featureNames: [String] { columns.map(\.name) }

  /// Whether any feature is categorical.
  public var hasCategoricalColumns: Bool { columns.contains(where: \.isCategorical) }

  /// The class labels; empty unless the target holds classes.
  public var classLabels: [String] {
    if case .classes(_, let labels) = target { labels } else { [] }
  }

  private func checkLengths() throws {
    let n = features.rowCount
    func check(_ what: String, _ count: Int?) throws {
      guard let count, count != n else { return }
      throw ApusError(.shape, "\(what) has \(count) entries, but the features are \(features.shape)")
    }
    guard columns.count == features.columnCount else {
      throw ApusError(.shape, "\(columns.count) column names for features of \(features.shape)")
    }
    try check("the target", target.count)
    try check("the weights", weights?.count)
    try check("the groups", groups?.count)
  }

  private func checkValues() throws {
    if let row = weights?.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw ApusError(
        .data, "the weight of row \(row + 1) is \(weights![row]); weights must be finite and at least 0")
    }
    if let weights, !weights.reduce(0, +).isFinite {
      throw ApusError(
        .data, "the sum of the weights is too large for a Double",
        hint: "divide them by a number: only their ratios count")
    }
    for (index, column) in columns.enumerated() {
      guard let categories = column.categories else { continue }
      if let repeated = Self.firstRepeated(categories) {
        throw ApusError(.data, "column '\(column.name)' has the category '\(repeated)' twice")
      }
      try checkCategories(inColumn: index, count: categories.count)
    }
    switch target {
    case .none: break
    case .values(let values):
      if let row = values.firstIndex(where: { !$0.isFinite }) {
        throw ApusError(
          .data, "the target of row \(row + 1) is \(values[row]); a target must be a finite number",
          hint: "remove the rows whose target is unknown")
      }
    case .classes(let indices, let labels):
      if let repeated = Self.firstRepeated(labels) {
        throw ApusError(.data, "the target has the label '\(repeated)' twice")
      }
      if let row = indices.firstIndex(where: { $0 < 0 || $0 >= labels.count }) {
        throw ApusError(
          .data, "row \(row + 1) has class \(indices[row]), but there are \(labels.count) classes")
      }
    }
  }

  private static func firstRepeated(_ names: [String]) -> String? {
    var seen = Set<String>()
    return names.first { !seen.insert($0).inserted }
  }

  /// Checks that a column of categories holds their numbers, or nothing.
  private func checkCategories(inColumn column: Int, count: Int) throws {
    for row in 0..<features.rowCount {
      let value = features[row, column]
      guard value.isNaN || Int(exactly: value).map({ 0..<count ~= $0 }) == true else {
        throw ApusError(
          .data,
          "row \(row + 1) of column '\(columns[column].name)' is \(value), but it has \(count) categories, numbered from 0",
          hint: "leave cells without a category missing (NaN)")
      }
    }
  }
}
