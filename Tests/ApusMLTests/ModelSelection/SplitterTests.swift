import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

private struct SplitterGoldens: Decodable {
  struct TimeSeries: Decodable {
    var splits: Int
    var gap: Int
    var maxTrainSize: Int?
    var testSize: Int?
    var expected: [Split]
  }
  struct ShuffleSize: Decodable {
    var rows: Int
    var test: Double
    var train: Double?
    var sizes: [Int]
  }
  struct StratifiedShuffle: Decodable {
    var test: Double
    var trainCounts: [Int]
    var testCounts: [Int]
  }
  var classes: [Int32]
  var groups: [Int32]
  var unevenGroups: [Int32]
  var kFold: [String: [Split]]
  var stratifiedKFold: [String: [Split]]
  var groupKFold: [String: [Split]]
  var unevenGroupKFold: [String: [Split]]
  var timeSeriesSplit: [TimeSeries]
  var shuffleSizes: [ShuffleSize]
  var stratifiedShuffle: StratifiedShuffle
}

private func rows(_ count: Int, classes: [Int32]? = nil, groups: [Int32]? = nil) throws -> Dataset {
  let labels = (0...(classes?.max() ?? 0)).map { "c\($0)" }
  return try Dataset(
    features: Matrix(rowCount: count, columnCount: 1),
    target: classes.map { .classes(indices: $0, labels: labels) } ?? .none, groups: groups)
}

@Suite struct SplitterTests {
  private let goldens: SplitterGoldens
  private let data: Dataset

  init() throws {
    goldens = try Golden.load("splitters.json")
    data = try rows(goldens.classes.count, classes: goldens.classes, groups: goldens.groups)
  }

  @Test func unshuffledFoldsAreThoseOfScikitLearn() throws {
    for (folds, expected) in goldens.kFold {
      #expect(try KFold(folds: Int(folds)!).splits(of: data, seed: Seed(1)) == expected)
    }
    for (folds, expected) in goldens.stratifiedKFold {
      #expect(try StratifiedKFold(folds: Int(folds)!).splits(of: data, seed: Seed(1)) == expected)
    }
    for (folds, expected) in goldens.groupKFold {
      #expect(try GroupKFold(folds: Int(folds)!).splits(of: data, seed: Seed(1)) == expected)
    }
    let uneven = try rows(goldens.unevenGroups.count, groups: goldens.unevenGroups)
    for (folds, expected) in goldens.unevenGroupKFold {
      #expect(try GroupKFold(folds: Int(folds)!).splits(of: uneven, seed: Seed(1)) == expected)
    }
    for golden in goldens.timeSeriesSplit {
      let splitter = TimeSeriesSplit(
        splitCount: golden.splits, gap: golden.gap, maxTrainSize: golden.maxTrainSize,
        testSize: golden.testSize)
      #expect(try splitter.splits(of: data, seed: Seed(1)) == golden.expected)
    }
  }

  @Test func sizesOfRandomSplitsAreThoseOfScikitLearn() throws {
    for golden in goldens.shuffleSizes {
      let split = try ShuffleSplit(splitCount: 1, testFraction: golden.test, trainFraction: golden.train)
        .splits(of: rows(golden.rows), seed: Seed(3))[0]
      #expect([split.train.count, split.test.count] == golden.sizes)
      #expect(Set(split.train + split.test).count == split.train.count + split.test.count)
    }
    let golden = goldens.stratifiedShuffle
    let split = try StratifiedShuffleSplit(splitCount: 1, testFraction: golden.test)
      .splits(of: data, seed: Seed(3))[0]
    func counts(_ rows: [Int]) -> [Int] {
      rows.reduce(into: [0, 0, 0, 0]) { $0[Int(goldens.classes[$1])] += 1 }
    }
    // Where two classes have the same claim to a row, either may get it.
    #expect(zip(counts(split.train), golden.trainCounts).allSatisfy { abs($0 - $1) <= 1 })
    #expect(zip(counts(split.test), golden.testCounts).allSatisfy { abs($0 - $1) <= 1 })
    #expect(split.test.count == golden.testCounts.reduce(0, +))
  }

  @Test(
    arguments: [
      KFold(folds: 4, shuffle: true), StratifiedKFold(folds: 4, shuffle: true),
      GroupKFold(folds: 4, shuffle: true), RepeatedKFold(folds: 4, repeats: 3),
      RepeatedKFold(folds: 4, repeats: 3, stratified: true),
    ] as [any Splitter])
  func shuffledFoldsTestEachRowOnceAndFollowTheSeed(splitter: any Splitter) throws {
    let splits = try splitter.splits(of: data, seed: Seed(1))
    for repeated in stride(from: 0, to: splits.count, by: 4) {
      let tested = splits[repeated..<repeated + 4].flatMap(\.test)
      #expect(tested.sorted() == Array(0..<data.rowCount))
    }
    for split in splits { #expect((split.train + split.test).sorted() == Array(0..<data.rowCount)) }
    #expect(try splitter.splits(of: data, seed: Seed(1)) == splits)
    #expect(try splitter.splits(of: data, seed: Seed(2)) != splits)
  }

  @Test func shuffledFoldsKeepClassesAndGroups() throws {
    for split in try StratifiedKFold(folds: 3, shuffle: true).splits(of: data, seed: Seed(4)) {
      let unshuffled = goldens.stratifiedKFold["3"]!.map { $0.test.map { goldens.classes[$0] }.sorted() }
      #expect(unshuffled.contains(split.test.map { goldens.classes[$0] }.sorted()))
    }
    for split in try GroupKFold(folds: 3, shuffle: true).splits(of: data, seed: Seed(4)) {
      let (train, test) = (
        Set(split.train.map { goldens.groups[$0] }), Set(split.test.map { goldens.groups[$0] })
      )
      #expect(train.isDisjoint(with: test))
    }
  }

  @Test func aClassWithFewerMembersThanFoldsIsNamed() throws {
    let few = try rows(8, classes: [0, 0, 0, 0, 0, 1, 1, 0])
    #expect {
      try StratifiedKFold(folds: 3).splits(of: few, seed: Seed(0))
    } throws: { error in
      let text = "\(error)"
      return (error as? ApusError)?.kind == .data && text.contains("'c1' has 2 members")
        && text.contains("3 folds") && text.contains("at most 2 folds")
    }
  }

  @Test func whatCannotBeDividedIsRefused() throws {
    func message(_ splitter: any Splitter, _ data: Dataset) -> String {
      do { return "no error, but \(try splitter.splits(of: data, seed: Seed(0)))" } catch {
        return "\(error)"
      }
    }
    let three = try rows(3, groups: [1, 1, 2])
    #expect(message(KFold(folds: 4), three).contains("4 folds of 3 rows"))
    #expect(message(KFold(folds: 1), three).contains("at least 2 folds"))
    #expect(message(StratifiedKFold(folds: 2), three).contains("the target holds none"))
    #expect(message(GroupKFold(folds: 3), three).contains("3 folds of 2 groups"))
    #expect(message(GroupKFold(folds: 2), try rows(3)).contains("has no groups"))
    #expect(message(ShuffleSplit(testFraction: 1.5), three).contains("between 0 and 1"))
    #expect(message(ShuffleSplit(testFraction: 0.6, trainFraction: 0.6), three).contains("more than 1"))
    #expect(message(TimeSeriesSplit(splitCount: 5), three).contains("cannot make 5 splits"))
    #expect(message(PredefinedSplit([Split(train: [0], test: [7])]), three).contains("row 7"))
    #expect(message(PredefinedSplit([]), three).contains("no splits"))
  }

  @Test func predefinedFoldsLeaveNegativeRowsInTraining() throws {
    let splits = try PredefinedSplit(foldOfRow: [0, -1, 1, 1]).splits(of: rows(4), seed: Seed(0))
    #expect(splits == [Split(train: [1, 2, 3], test: [0]), Split(train: [0, 1], test: [2, 3])])
  }

  @Test func splitsCrossAProcessBoundaryUnchanged() throws {
    let plan = SplitPlan(try KFold(folds: 3).splits(of: data, seed: Seed(0)))
    let arrived = try SplitPlan(layout: plan.layout())
    #expect(arrived.splits == plan.splits)
    #expect(arrived.digest == plan.digest)
  }
}
