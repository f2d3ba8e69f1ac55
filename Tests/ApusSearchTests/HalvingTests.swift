import ApusData
import ApusML
import ApusParallel
import ApusSearch
import ApusTestSupport
import Testing

@Suite struct HalvingTests {
  private struct Goldens: Decodable {
    struct Case: Decodable {
      var candidates, factor, smallest, largest: Int
      var exhausts, aggressive: Bool
      var n_candidates, n_resources: [Int]
    }
    var schedules: [Case]
  }

  @Test func schedulesAreThoseOfScikitLearn() throws {
    let goldens = try Golden.load("adaptive_search.json", as: Goldens.self).schedules
    #expect(goldens.count == 12)
    for golden in goldens {
      let schedule = try HalvingSchedule(
        candidates: golden.candidates, factor: golden.factor, smallest: golden.smallest,
        largest: golden.largest, exhausts: golden.exhausts, eliminatesAggressively: golden.aggressive)
      #expect(schedule.iterations.map(\.candidates) == golden.n_candidates)
      #expect(schedule.iterations.map(\.resource) == golden.n_resources)
    }
  }

  @Test func theBestGoOnWithMoreRows() async throws {
    let tag = CountedMean.newTag()
    let search = AdaptiveSearch(factors(27, tag: tag), .halving(HalvingSettings(smallest: 12)), options)
    let data = try rows()
    let results = try await search.run(on: data, backend: ThreadBackend(workers: 2)).results
    // 12, 36 and 108 of 120 rows, of which each fold learns from four fifths.
    #expect(
      results.candidates.map { $0.stage?.resource } == [Int](repeating: 12, count: 27)
        + [Int](repeating: 36, count: 9) + [108, 108, 108])
    #expect(Set(CountedMean.fits(tag)) == [9, 28, 86])
    #expect(CountedMean.fits(tag).count == 39 * 5)
    for iteration in 0..<2 {
      let (here, next) = (
        results.candidates.filter { $0.stage?.iteration == iteration },
        results.candidates.filter { $0.stage?.iteration == iteration + 1 }
      )
      let kept = Set(next.compactMap { $0.stage?.candidate })
      let worstKept = here.filter { kept.contains($0.stage?.candidate ?? -1) }.map { $0.scores[0].mean }.min()
      let bestDropped = here.filter { !kept.contains($0.stage?.candidate ?? -1) }.map { $0.scores[0].mean }
        .max()
      #expect(try #require(worstKept) >= #require(bestDropped))
    }
    #expect(results.best?.stage?.resource == 108)
    #expect(results.ranked.first == results.best)
    #expect(results.table.columns.prefix(2) == ["iter", "n_resources"])
    #expect(results.isComplete)
  }

  @Test func aHyperparameterCanBeTheResource() async throws {
    let settings = HalvingSettings(resource: .hyperparameter("rounds"), smallest: 2, largest: 18)
    let results = try await AdaptiveSearch(factors(9), .halving(settings), options).run(
      on: rows(), backend: SequentialBackend()
    ).results
    #expect(
      results.candidates.map { $0.parameters["rounds"] } == [Int](repeating: 2, count: 9).map { .integer($0) }
        + [6, 6, 6].map { .integer($0) } + [.integer(18)])
    #expect(results.best?.estimator.parameters["rounds"] == .integer(18))
    let wrong = HalvingSettings(resource: .hyperparameter("factor"), largest: 3)
    await #expect(throws: ApusError.self) {
      try await AdaptiveSearch(factors(3), .halving(wrong), options).run(
        on: rows(), backend: SequentialBackend())
    }
  }

  @Test(arguments: [
    SearchMethod.halving(HalvingSettings(smallest: 12)), .hyperband(HalvingSettings(smallest: 12)),
    .parzen(ParzenSettings(candidates: 30)), .random(draws: 20), .grid,
  ]) func theResultDependsNeitherOnSlotsNorOnTheOrderOfFits(method: SearchMethod) async throws {
    var search = AdaptiveSearch(factors(20, milliseconds: 0.5), method, options)
    search.stopRules.patience = 25
    let data = try rows()
    let expected = try await search.run(on: data, backend: SequentialBackend()).results
    for workers in [2, 4] {
      let results = try await search.run(on: data, backend: ThreadBackend(workers: workers)).results
      #expect(essence(results) == essence(expected))
    }
    #expect(expected.candidates.count >= 12)
  }

  @Test func hyperbandHasTheBracketsOfThePaper() async throws {
    // Table 1 of Li et al. (2018): R = 81, η = 3.
    let results = try await AdaptiveSearch(
      SearchSpace(ParameterGrid(CountedMean()).varying(\.factor, over: .uniform(0.5, 1.5))),
      .hyperband(HalvingSettings(resource: .hyperparameter("rounds"), smallest: 1, largest: 81)), options
    ).run(on: rows(), backend: SequentialBackend()).results
    var counts: [[Int]] = []
    for candidate in results.candidates {
      let resource = candidate.stage?.resource ?? 0
      if candidate.stage?.iteration == 0, counts.last?.first != resource || counts.isEmpty {
        counts.append([resource])
      }
      counts[counts.count - 1].append(resource)
    }
    let sizes = counts.map { bracket in
      Dictionary(grouping: bracket.dropFirst()) { $0 }.mapValues(\.count).sorted { $0.key < $1.key }.map {
        [$0.value, $0.key]
      }
    }
    #expect(
      sizes == [
        [[81, 1], [27, 3], [9, 9], [3, 27], [1, 81]], [[34, 3], [11, 9], [3, 27], [1, 81]],
        [[15, 9], [5, 27], [1, 81]], [[8, 27], [2, 81]], [[5, 81]],
      ])
  }
}
