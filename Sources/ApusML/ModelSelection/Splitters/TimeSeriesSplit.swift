import ApusData
import ApusParallel

/// Splits rows that are in the order of time: each test set follows its training set.
///
/// The test sets are consecutive and of equal size, the last of them ending with the data; each training set
/// holds all rows before its test set, less the gap. The splits are scikit-learn's.
public struct TimeSeriesSplit: Splitter {
  /// The number of splits.
  public var splitCount: Int
  /// The number of rows left out between training and test rows.
  public var gap: Int
  /// The largest number of training rows, the latest being kept; nil keeps all.
  public var maxTrainSize: Int?
  /// The number of rows of each test set; nil takes `n / (splitCount + 1)`.
  public var testSize: Int?

  /// Creates a splitter; 5 splits, no gap, growing training sets unless given.
  public init(splitCount: Int = 5, gap: Int = 0, maxTrainSize: Int? = nil, testSize: Int? = nil) {
    self.splitCount = splitCount
    self.gap = gap
    self.maxTrainSize = maxTrainSize
    self.testSize = testSize
  }

  /// The splits, in the order of time.
  ///
  /// - Throws: ``ApusError`` for settings that make no sense, or too few rows.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    let n = data.rowCount
    guard splitCount >= 2 else {
      throw ApusError(
        .invalidParameter, "time-series-split needs at least 2 splits, but was given \(splitCount)")
    }
    try Split.check(count: splitCount, rows: n, splitter: "time-series-split")
    guard gap >= 0, maxTrainSize ?? 1 >= 1, testSize ?? 1 >= 1 else {
      throw ApusError(
        .invalidParameter,
        "time-series-split: the gap must be at least 0, and the sizes of training and test sets at least 1")
    }
    let size = testSize ?? n / (splitCount + 1)
    guard splitCount < n, size >= 1, size <= n, gap <= n, n - gap - size * splitCount > 0 else {
      throw ApusError(
        .data,
        "time-series-split cannot make \(splitCount) splits with \(max(size, 1)) test rows each "
          + "and a gap of \(gap) of \(n) row\(n == 1 ? "" : "s")",
        hint: "use fewer splits, smaller test sets or a smaller gap")
    }
    return (0..<splitCount).map { index in
      let start = n - (splitCount - index) * size
      let end = start - gap
      return Split(
        train: Array(max(0, end - (maxTrainSize ?? end))..<end), test: Array(start..<start + size))
    }
  }
}
