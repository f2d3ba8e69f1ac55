import ApusData
import ApusParallel

/// Draws training and test rows at random, anew for each split, with each class in nearly the proportion that
/// the whole data set has it in.
public struct StratifiedShuffleSplit: Splitter {
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
  /// - Throws: ``ApusError`` as ``ShuffleSplit`` does, for a target without classes, a class with a single
  ///   member, or a side with fewer rows than there are classes.
  public func splits(of data: Dataset, seed: Seed) throws -> [Split] {
    let name = "stratified shuffle-split"
    let strata = try Strata(data, splitter: name)
    let (trainCount, testCount) = try shuffledCounts(
      rows: data.rowCount, splits: splitCount, test: testFraction, train: trainFraction, splitter: name)
    if let single = strata.members.firstIndex(where: { $0.count < 2 }) {
      throw ApusError(
        .data, "class '\(strata.labels[single])' has 1 member, too few to be both learnt and scored",
        hint: "remove that class or gather more rows of it")
    }
    let classes = strata.members.count
    guard trainCount >= classes, testCount >= classes else {
      throw ApusError(
        .data,
        "\(name): \(trainCount) rows to learn from and \(testCount) to score on cannot hold all "
          + "\(classes) classes", hint: "use other fractions")
    }
    let sizes = strata.members.map(\.count)
    return (0..<splitCount).map { index in
      var random = seed.derived("split", index).randomSource()
      let trainSizes = proportionalShares(of: sizes, drawing: trainCount, &random)
      let left = zip(sizes, trainSizes).map { $0 - $1 }
      let testSizes = proportionalShares(of: left, drawing: testCount, &random)
      var split = Split(train: [], test: [])
      for (position, members) in strata.members.enumerated() {
        var members = members
        random.shuffle(&members)
        split.train += members[..<trainSizes[position]]
        split.test += members[trainSizes[position]..<trainSizes[position] + testSizes[position]]
      }
      random.shuffle(&split.train)
      random.shuffle(&split.test)
      return split
    }
  }
}

/// Whole shares of `total`, proportional to `counts`: rounded down, then one more for the largest remainders;
/// equal remainders are taken in random order.
private func proportionalShares(
  of counts: [Int], drawing total: Int, _ random: inout RandomSource
) -> [Int] {
  let sum = Double(counts.reduce(0, +))
  let exact = counts.map { Double($0) / sum * Double(total) }
  var shares = exact.map { Int($0) }
  let missing = total - shares.reduce(0, +)
  let order = random.permutation(counts.count)
    .sorted { exact[$0] - Double(shares[$0]) > exact[$1] - Double(shares[$1]) }
  for position in order.prefix(missing) { shares[position] += 1 }
  return shares
}
