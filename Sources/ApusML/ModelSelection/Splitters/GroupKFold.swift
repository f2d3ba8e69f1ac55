import ApusData
import ApusParallel

/// k-fold that never divides a group: all rows of a group are in the same fold.
///
/// Unshuffled, the largest group goes to the emptiest fold, then the next, as in scikit-learn, so folds have
/// nearly equal numbers of rows. Shuffled, folds have nearly equal numbers of groups.
public struct GroupKFold: Splitter {
  /// The number of folds.
  public var folds: Int
  /// Whether groups are dealt to the folds in random order instead of by size.
  public var shuffle: Bool

  /// Creates a splitter; 5 folds by size unless given.
  public init(folds: Int = 5, shuffle: Bool = false) {
    self.folds = folds
    self.shuffle = shuffle
  }

  /// The splits; test rows ascend.
  ///
  /// - Throws: ``ApusError`` for fewer than 2 folds, data without groups, or more folds than groups.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    try checkFolds(folds, rows: data.rowCount, splitter: "group k-fold")
    guard let groups = data.groups else {
      throw ApusError(
        .data, "group k-fold needs to know the group of each row, but the data has no groups",
        hint: "name the column that holds the groups, or use k-fold")
    }
    let distinct = Set(groups).sorted()
    guard folds <= distinct.count else {
      throw ApusError(
        .data, "group k-fold cannot make \(folds) folds of \(distinct.count) groups",
        hint: "use at most \(distinct.count) folds")
    }
    let position = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
    let groupOfRow = groups.map { position[$0]! }
    let foldOfGroup =
      shuffle
      ? shuffledFolds(groupCount: distinct.count, seed: seed)
      : balancedFolds(groupOfRow, groupCount: distinct.count)
    return Split.splits(ofFolds: groupOfRow.map { foldOfGroup[$0] }, count: folds)
  }

  private func balancedFolds(_ groupOfRow: [Int], groupCount: Int) -> [Int] {
    var sizes = [Int](repeating: 0, count: groupCount)
    for group in groupOfRow { sizes[group] += 1 }
    // Descending by size and, among equals, by number: the reverse of a stable ascending sort.
    let order = (0..<groupCount).sorted { (sizes[$0], $0) > (sizes[$1], $1) }
    var rows = [Int](repeating: 0, count: folds)
    var foldOfGroup = [Int](repeating: 0, count: groupCount)
    for group in order {
      let emptiest = rows.indices.min { rows[$0] < rows[$1] }!
      rows[emptiest] += sizes[group]
      foldOfGroup[group] = emptiest
    }
    return foldOfGroup
  }

  private func shuffledFolds(groupCount: Int, seed: Seed) -> [Int] {
    var random = seed.derived("group-k-fold").randomSource()
    var foldOfGroup = [Int](repeating: 0, count: groupCount)
    for (position, group) in random.permutation(groupCount).enumerated() {
      foldOfGroup[group] = position % folds
    }
    return foldOfGroup
  }
}
