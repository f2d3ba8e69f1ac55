import ApusData
import ApusParallel

/// k-fold in which every fold has each class in nearly the proportion that the whole data set has it in.
///
/// Unshuffled folds are scikit-learn's: the sorted classes are dealt to the folds in turn, which fixes how
/// many rows of each class a fold gets, and each class hands out its rows in file order.
public struct StratifiedKFold: Splitter {
  /// The number of folds.
  public var folds: Int
  /// Whether the rows of each class are shuffled before they are handed out.
  public var shuffle: Bool

  /// Creates a splitter; 5 folds in file order unless given.
  public init(folds: Int = 5, shuffle: Bool = false) {
    self.folds = folds
    self.shuffle = shuffle
  }

  /// The splits; test rows ascend.
  ///
  /// - Throws: ``ApusError`` for fewer than 2 folds, a target without classes, or a class with fewer members
  ///   than folds.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    try checkFolds(folds, rows: data.rowCount, splitter: "stratified k-fold")
    let strata = try Strata(data, splitter: "stratified k-fold")
    if let smallest = strata.members.indices.min(by: { strata.members[$0].count < strata.members[$1].count }),
      strata.members[smallest].count < folds
    {
      let count = strata.members[smallest].count
      throw ApusError(
        .data,
        "class '\(strata.labels[smallest])' has \(count) member\(count == 1 ? "" : "s"), "
          + "fewer than the \(folds) folds",
        hint: "use at most \(max(2, count)) folds, gather more rows of that class or remove it, "
          + "or use k-fold without stratification")
    }
    var assigned = [Int](repeating: 0, count: data.rowCount)
    var dealt = 0
    for (position, members) in strata.members.enumerated() {
      // Position `dealt + i` of the sorted classes goes to fold `(dealt + i) mod k`.
      var perFold = [Int](repeating: members.count / folds, count: folds)
      for extra in 0..<members.count % folds { perFold[(dealt + extra) % folds] += 1 }
      dealt += members.count
      var handedOut = perFold.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
      if shuffle {
        var random = seed.derived("stratum", position).randomSource()
        random.shuffle(&handedOut)
      }
      for (row, fold) in zip(members, handedOut) { assigned[row] = fold }
    }
    return Split.splits(ofFolds: assigned, count: folds)
  }
}

/// The rows of each class that occurs, classes in the order of their first rows.
struct Strata {
  let members: [[Int]]
  let labels: [String]

  /// - Throws: ``ApusError`` of kind `data` when the target holds no classes.
  init(_ data: Dataset, splitter: String) throws {
    guard case .classes(let indices, let allLabels) = data.target else {
      throw ApusError(
        .data, "\(splitter) keeps the proportions of classes, but the target holds none",
        hint: "use k-fold or shuffle-split without stratification")
    }
    var position = [Int](repeating: -1, count: allLabels.count)
    var members: [[Int]] = []
    var labels: [String] = []
    for (row, index) in indices.enumerated() {
      if position[Int(index)] < 0 {
        position[Int(index)] = members.count
        members.append([])
        labels.append(allLabels[Int(index)])
      }
      members[position[Int(index)]].append(row)
    }
    self.members = members
    self.labels = labels
  }
}
