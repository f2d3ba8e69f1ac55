import ApusData
import ApusParallel

/// Divides the rows of a data set into training and test rows, once for each fold.
///
/// Where a method has no randomness, its folds are scikit-learn's; where it has, they depend on the data and
/// the seed alone.
///
/// ```swift
/// let splits = try StratifiedKFold(folds: 5).splits(of: data, seed: Seed(7))
/// ```
public protocol Splitter: Codable, Hashable, Sendable {
  /// The splits, in order.
  ///
  /// - Parameters:
  ///   - data: the rows to divide, with their target and groups.
  ///   - seed: the root of everything random about the division.
  /// - Throws: ``ApusError``: `invalidParameter` for settings that make no sense, `data` when the data cannot
  ///   be divided in this way.
  func splits(of data: Dataset, seed: Seed) throws -> [Split]
}

extension LearningTask {
  /// The splitter that suits a task: stratified folds for classification, plain folds in file order for the
  /// others, as in scikit-learn.
  public func defaultSplitter(folds: Int = 5) -> any Splitter {
    self == .classification ? StratifiedKFold(folds: folds) : KFold(folds: folds)
  }
}

/// Checks a number of folds against the number of rows.
///
/// - Throws: ``ApusError`` of kind `invalidParameter` for fewer than two folds or more than 100,000, `data` for more than
///   rows.
func checkFolds(_ folds: Int, rows: Int, splitter: String) throws {
  guard folds >= 2 else {
    throw ApusError(.invalidParameter, "\(splitter) needs at least 2 folds, but was given \(folds)")
  }
  try Split.check(count: folds, rows: rows, splitter: splitter)
  guard folds <= rows else {
    throw ApusError(
      .data, "\(splitter) cannot make \(folds) folds of \(rows) row\(rows == 1 ? "" : "s")",
      hint: "use fewer folds")
  }
}
