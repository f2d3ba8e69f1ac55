import ApusData
import ApusParallel

/// Draws training and test rows at random, anew for each split; test sets may overlap.
public struct ShuffleSplit: Splitter {
  /// The number of splits.
  public var splitCount: Int
  /// The fraction of the rows to score on.
  public var testFraction: Double
  /// The fraction of the rows to learn from; nil takes all that are not in the test set.
  public var trainFraction: Double?

  /// Creates a splitter; 10 splits with a tenth of the rows as test set unless given.
  public init(splitCount: Int = 10, testFraction: Double = 0.1, trainFraction: Double? = nil) {
    self.splitCount = splitCount
    self.testFraction = testFraction
    self.trainFraction = trainFraction
  }

  /// The splits; rows are in random order.
  ///
  /// - Throws: ``ApusError`` for fractions that are not between 0 and 1, sum to more than 1 or leave a side
  ///   empty.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    let n = data.rowCount
    let (trainCount, testCount) = try shuffledCounts(
      rows: n, splits: splitCount, test: testFraction, train: trainFraction, splitter: "shuffle-split")
    return (0..<splitCount).map { index in
      var random = seed.derived("split", index).randomSource()
      let order = random.permutation(n)
      return Split(
        train: Array(order[testCount..<testCount + trainCount]), test: Array(order[..<testCount]))
    }
  }
}

/// The numbers of training and test rows that fractions stand for: the test set is rounded up, the training
/// set down, as in scikit-learn.
///
/// - Throws: ``ApusError``: `invalidParameter` for settings that make no sense, `data` for too few rows.
func shuffledCounts(
  rows n: Int, splits: Int, test: Double, train: Double?, splitter: String
) throws -> (train: Int, test: Int) {
  guard splits >= 1 else {
    throw ApusError(.invalidParameter, "\(splitter) needs at least 1 split, but was given \(splits)")
  }
  try Split.check(count: splits, rows: n, splitter: splitter)
  for (name, fraction) in [("test", test), ("training", train ?? 0.5)] where !(fraction > 0 && fraction < 1) {
    throw ApusError(
      .invalidParameter, "\(splitter): the \(name) fraction must lie between 0 and 1, but is \(fraction)")
  }
  guard test + (train ?? 0) <= 1 else {
    throw ApusError(
      .invalidParameter,
      "\(splitter): the training and test fractions sum to \(test + (train ?? 0)), more than 1")
  }
  let testCount = Int((test * Double(n)).rounded(.up))
  let trainCount = train.map { Int(($0 * Double(n)).rounded(.down)) } ?? n - testCount
  guard trainCount >= 1, testCount >= 1, trainCount + testCount <= n else {
    throw ApusError(
      .data,
      "\(splitter): \(n) row\(n == 1 ? "" : "s") would give \(trainCount) to learn from "
        + "and \(testCount) to score on",
      hint: "use more rows or other fractions")
  }
  return (trainCount, testCount)
}
