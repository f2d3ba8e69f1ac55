import ApusParallel
import Foundation

/// One division of a data set's rows: those to learn from, and those to score on.
public struct Split: Sendable, Hashable, Codable {
  /// The rows to learn from.
  public var train: [Int]
  /// The rows to score on.
  public var test: [Int]

  /// Creates a split.
  public init(train: [Int], test: [Int]) {
    self.train = train
    self.test = test
  }

  /// The split whose test rows are given, and whose training rows are all others in ascending order.
  init(test: [Int], ofRows rowCount: Int) {
    var isTest = [Bool](repeating: false, count: rowCount)
    for row in test { isTest[row] = true }
    self.init(train: (0..<rowCount).filter { !isTest[$0] }, test: test)
  }
}

extension Split {
  /// The most splits of a data set, each of which lists every row.
  package static let mostCount = 100_000

  /// Checks a number of splits before they are made.
  ///
  /// - Throws: ``ApusError``: `invalidParameter` for more than ``mostCount``; `data` where the lists of their rows do not
  ///   fit into memory.
  static func check(count: Int, rows: Int, splitter: String) throws {
    guard count <= mostCount else {
      throw ApusError(
        .invalidParameter,
        "\(splitter) makes at most \(mostCount.grouped) splits, but was asked for \(count.grouped)",
        hint: "use fewer folds, splits or repeats")
    }
    // A plan of fits has these lists once more.
    let memory = Int(ProcessInfo.processInfo.physicalMemory)
    guard count > memory / (4 * MemoryLayout<Int>.stride) / max(1, rows) else { return }
    throw ApusError(
      .data, "\(splitter): \(count.grouped) splits of \(rows.grouped) rows do not fit this machine's memory",
      hint: "use fewer folds, splits or repeats")
  }

  /// The splits that fold numbers describe: fold k tests on the rows numbered k and learns from all others.
  static func splits(ofFolds folds: [Int], count: Int) -> [Split] {
    (0..<count).map { fold in
      var train: [Int] = []
      var test: [Int] = []
      for (row, assigned) in folds.enumerated() {
        if assigned == fold { test.append(row) } else { train.append(row) }
      }
      return Split(train: train, test: test)
    }
  }
}
