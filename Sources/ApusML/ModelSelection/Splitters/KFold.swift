import ApusData
import ApusParallel

/// Cuts the rows into k folds of nearly equal size; each fold is the test set once.
///
/// Unshuffled folds are consecutive rows, the first `n mod k` folds one row longer, as in scikit-learn.
public struct KFold: Splitter {
  /// The number of folds.
  public var folds: Int
  /// Whether the rows are shuffled before they are cut.
  public var shuffle: Bool

  /// Creates a splitter; 5 folds in file order unless given.
  public init(folds: Int = 5, shuffle: Bool = false) {
    self.folds = folds
    self.shuffle = shuffle
  }

  /// The splits; test rows ascend.
  ///
  /// - Throws: ``ApusError`` for fewer than 2 folds, or more folds than rows.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    let n = data.rowCount
    try checkFolds(folds, rows: n, splitter: "k-fold")
    var order = Array(0..<n)
    if shuffle {
      var random = seed.derived("k-fold").randomSource()
      random.shuffle(&order)
    }
    var assigned = [Int](repeating: 0, count: n)
    var start = 0
    for fold in 0..<folds {
      let size = n / folds + (fold < n % folds ? 1 : 0)
      for row in order[start..<start + size] { assigned[row] = fold }
      start += size
    }
    return Split.splits(ofFolds: assigned, count: folds)
  }
}

/// k-fold repeated with other shuffles: `folds × repeats` splits.
public struct RepeatedKFold: Splitter {
  /// The number of folds of each repeat.
  public var folds: Int
  /// How often the rows are shuffled and cut anew.
  public var repeats: Int
  /// Whether every fold keeps the class proportions, as ``StratifiedKFold`` does.
  public var stratified: Bool

  /// Creates a splitter; 5 folds, 10 repeats, not stratified unless given.
  public init(folds: Int = 5, repeats: Int = 10, stratified: Bool = false) {
    self.folds = folds
    self.repeats = repeats
    self.stratified = stratified
  }

  /// The splits of all repeats, one repeat after the other.
  ///
  /// - Throws: ``ApusError`` as the repeated splitter does, or for fewer than one repeat or more than 100,000
  ///   splits.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    guard repeats >= 1 else {
      throw ApusError(.invalidParameter, "repeated k-fold needs at least 1 repeat, but was given \(repeats)")
    }
    let (count, overflow) = repeats.multipliedReportingOverflow(by: max(1, folds))
    try Split.check(
      count: overflow ? .max : count, rows: data.rowCount, splitter: "repeated k-fold")
    return try (0..<repeats).flatMap { index in
      let seed = seed.derived("repeat", index)
      return stratified
        ? try StratifiedKFold(folds: folds, shuffle: true).splits(of: data, seed: seed)
        : try KFold(folds: folds, shuffle: true).splits(of: data, seed: seed)
    }
  }
}
