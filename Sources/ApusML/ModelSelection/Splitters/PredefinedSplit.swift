import ApusData
import ApusParallel

/// Splits that are given: by the fold of each row, or one by one.
public struct PredefinedSplit: Splitter {
  /// The splits.
  public var given: [Split]

  /// Takes splits as they are.
  public init(_ splits: [Split]) { given = splits }

  /// Takes the fold of each row; each fold is the test set once, in ascending order.
  ///
  /// - Parameter foldOfRow: one number a row; rows with a negative number are always learnt from.
  public init(foldOfRow: [Int]) {
    given = Set(foldOfRow).filter { $0 >= 0 }.sorted().map { fold in
      Split(
        train: foldOfRow.indices.filter { foldOfRow[$0] != fold },
        test: foldOfRow.indices.filter { foldOfRow[$0] == fold })
    }
  }

  /// The splits that were given.
  ///
  /// - Throws: ``ApusError`` when there are none, one is empty on a side, or a row does not exist.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    guard !given.isEmpty else { throw ApusError(.invalidParameter, "no splits were given") }
    for (index, split) in given.enumerated() {
      guard !split.train.isEmpty, !split.test.isEmpty else {
        throw ApusError(
          .data,
          "split \(index) has \(split.train.count) rows to learn from and \(split.test.count) to score on")
      }
      if let row = (split.train + split.test).first(where: { $0 < 0 || $0 >= data.rowCount }) {
        throw ApusError(
          .data, "split \(index) names row \(row), but the data has rows 0 to \(data.rowCount - 1)")
      }
    }
    return given
  }
}
