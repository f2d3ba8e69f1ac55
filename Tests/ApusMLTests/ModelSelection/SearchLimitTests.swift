import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Foundation
import Testing

/// Searches that could not fit into any memory are refused with the numbers that are too large.
@Suite struct SearchLimitTests {
  private func expectRefusal(
    _ words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) {
    #expect(sourceLocation: sourceLocation) {
      try body()
    } throws: { error in
      (error as? ApusError)?.kind == .invalidParameter && words.allSatisfy { "\(error)".contains($0) }
    }
  }

  @Test(arguments: [
    "range(1,2,1e-300)", "range(1,1e18)", "range(-1e308,1e308)", "range(0,1000000)",
    "linear(0,1,1000000000000)", "linear(0,1,1000001)", "log(1,2,9e18)",
  ])
  func longListsAreRefusedBeforeTheyAreMade(text: String) {
    expectRefusal("more than 1,000,000 values", "random search") { _ = try ParameterSpace(parsing: text) }
  }

  @Test func aMillionValuesAreAList() throws {
    #expect(try ParameterSpace.range(from: 1, to: 1_000_000).count == 1_000_000)
    #expect(try ParameterSpace.linear(from: 0, to: 1, count: 1_000_000).count == 1_000_000)
  }

  @Test func boundsWhoseDistanceIsNoNumberAreRefused() throws {
    expectRefusal("'constant': uniform(-1e+308, 1e+308)", "further") {
      try ParameterSpace.uniform(-1e308, 1e308).check(for: "constant")
    }
    expectRefusal("linear(-1e+308, 1e+308, 3)", "further") {
      _ = try ParameterSpace.linear(from: -1e308, to: 1e308, count: 3)
    }
    try ParameterSpace.uniform(-8e307, 8e307).check(for: "constant")
  }

  @Test(arguments: [(0, Int.max), (Int.min, Int.max), (Int.min, 0), (-2, Int.max - 1), (Int.max, Int.max)])
  func wholeNumbersAreDrawnBetweenAnyBounds(low: Int, high: Int) throws {
    let space = ParameterSpace.integer(low, high)
    try space.check(for: "coef0")
    var random = Seed(4).randomSource()
    let drawn = (0..<200).map { _ in space.draw(&random) }
    for case .integer(let number) in drawn { #expect((low...high).contains(number)) }
    #expect(Set(drawn).count == (low == high ? 1 : 200))
  }

  /// Four lists of 100,000 values: more combinations than a whole number can count.
  private func countless(_ copies: Int = 1) throws -> SearchSpace {
    let list = try ParameterSpace.linear(from: 0, to: 1, count: 100_000)
    let grid = try ["shrinkage", "jitter", "failsAbove"].reduce(ParameterGrid(ShrunkenCentroid())) {
      try $0.varying($1, over: list)
    }.varying("iterations", over: .range(from: 1, to: 100_000))
    return (1..<copies).reduce(SearchSpace(grid)) { space, _ in space + SearchSpace(grid) }
  }

  @Test(arguments: [1, 2]) func aGridThatCannotBeCountedIsRefused(copies: Int) throws {
    let space = try countless(copies)
    #expect(space.count == .max)
    expectRefusal("a grid can have at most 10,000,000 candidates", "random search") {
      _ = try SearchCandidates(grid: space)
    }
  }

  @Test(arguments: [1, 2]) func aGridThatCannotBeCountedIsDrawnFrom(copies: Int) throws {
    let candidates = try SearchCandidates(drawing: 50, from: countless(copies), seed: Seed(2))
    #expect(candidates.count == 50)
    let drawn = try (0..<50).map { try candidates.described(at: $0).parameters }
    #expect(Set(drawn).count == 50)
    #expect(drawn.allSatisfy { $0.count == 4 })
  }

  @Test func aLargeGridIsDrawnFromWithoutRepetition() throws {
    let list = try ParameterSpace.linear(from: 0, to: 1, count: 10_000)
    let grid = try ParameterGrid(ShrunkenCentroid()).varying("shrinkage", over: list)
      .varying("jitter", over: list).varying("failsAbove", over: list)
    expectRefusal("this one has 1,000,000,000,000") { _ = try SearchCandidates(grid: SearchSpace(grid)) }
    #expect(try SearchCandidates(drawing: 3, from: SearchSpace(grid), seed: Seed(2)).count == 3)
  }

  @Test func drawsAreLimitedUnlessTheGridIs() throws {
    let distribution = SearchSpace(ParameterGrid(ScaledMean()).varying(\.factor, over: .uniform(0, 1)))
    for draws in [99_999_999_999_999, Int.max] {
      expectRefusal("random search", "at most 10,000,000 candidates", "draw fewer") {
        _ = try RandomSearch(distribution, draws: draws).candidateCount()
      }
    }
    let list = SearchSpace(ParameterGrid(ScaledMean()).varying(\.factor, [1, 2, 3]))
    #expect(try RandomSearch(list, draws: .max).candidateCount() == 3)
  }

  @Test func fitsAreLimited() async throws {
    let grid = ParameterGrid(ScaledMean()).varying(\.factor, (0..<1_100).map { Double($0) })
    let search = GridSearch(grid, SearchOptions(splitter: ShuffleSplit(splitCount: 100_000)))
    await #expect {
      try await search.run(on: numbers(), backend: SequentialBackend())
    } throws: { "\($0)".contains("1,100 candidates on 100,000 folds are more than the 100,000,000 fits") }
  }

  @Test func divisionsOfTheRowsAreLimited() throws {
    let data = try numbers()
    let splitters: [any Splitter] = [
      KFold(folds: .max), ShuffleSplit(splitCount: 99_999_999_999), TimeSeriesSplit(splitCount: .max),
      RepeatedKFold(folds: 5, repeats: .max), RepeatedKFold(folds: 2, repeats: 50_001),
    ]
    for splitter in splitters {
      expectRefusal("at most 100,000 splits") { _ = try splitter.splits(of: data, seed: Seed(1)) }
    }
    #expect(throws: ApusError.self) { try TimeSeriesSplit(testSize: .max).splits(of: data, seed: Seed(1)) }
  }

  @Test func splitsWhoseRowsDoNotFitIntoMemoryAreRefused() throws {
    // Lists of so many rows for each of the most splits are half of the memory.
    let rows = Int(ProcessInfo.processInfo.physicalMemory) / 32 / 100_000 + 1
    let data = try Dataset(
      features: Matrix(rowCount: rows, columnCount: 1), target: .classes((0..<rows).map { "\($0 % 2)" }))
    let splitters: [any Splitter] = [
      ShuffleSplit(splitCount: 100_000), StratifiedShuffleSplit(splitCount: 100_000),
      RepeatedKFold(folds: 5, repeats: 20_000),
    ]
    for splitter in splitters {
      let error = #expect(throws: ApusError.self) { try splitter.splits(of: data, seed: Seed(1)) }
      #expect(error?.kind == .data)
      #expect(error?.message.contains("do not fit this machine's memory") == true)
    }
  }

  @Test func shufflesOfFeaturesAreLimited() throws {
    let data = try numbers()
    let model = try ScaledMean().fit(data)
    expectRefusal("at most 100,000 repeats", "999,999,999,999,999") {
      _ = try PermutationImportance(of: model, on: data, metric: .r2, repeats: 999_999_999_999_999)
    }
  }

  @Test(arguments: ["[", "{a:", "[{b: ["]) func deepTextsAreRefused(opening: String) {
    let text = String(repeating: opening, count: 50_000)
    expectRefusal("more than 100 deep") { _ = try ParameterValue(parsing: text) }
    expectRefusal("more than 100 deep") { _ = try ParameterSpace(parsing: text) }
  }

  @Test func whatIsNotSoDeepIsRead() throws {
    let text = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    var value = try ParameterValue(parsing: text)
    var depth = 0
    while case .list(let values) = value {
      depth += 1
      value = values.first ?? .null
    }
    #expect(depth == 100)
    // Brackets beside each other are not in each other.
    #expect(throws: Never.self) {
      try ParameterSpace(parsing: "[" + Array(repeating: "[1]", count: 500).joined(separator: ",") + "]")
    }
  }
}
