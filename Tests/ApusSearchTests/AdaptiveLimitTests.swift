import ApusML
import ApusParallel
import ApusSearch
import Testing

/// Numbers that no search can do anything with are refused, and large ones that it can are not.
@Suite struct AdaptiveLimitTests {
  private func expectRefusal(
    _ search: AdaptiveSearch, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    await #expect(sourceLocation: sourceLocation) {
      try await search.run(on: rows(), backend: SequentialBackend())
    } throws: { error in
      (error as? ApusError)?.kind == .invalidParameter && words.allSatisfy { "\(error)".contains($0) }
    }
  }

  private var distribution: SearchSpace {
    SearchSpace(ParameterGrid(CountedMean()).varying(\.factor, over: .uniform(0.5, 1.5)))
  }

  @Test func aHugeFactorKeepsOneCandidate() async throws {
    let schedule = try HalvingSchedule(candidates: 9, factor: .max, smallest: 10, largest: 100)
    #expect(schedule.iterations.map(\.candidates) == [9])
    let search = AdaptiveSearch(factors(6), .halving(HalvingSettings(factor: .max, smallest: 50)), options)
    #expect(try await search.run(on: rows(), backend: SequentialBackend()).results.candidates.count == 6)
  }

  @Test func hyperbandRefusesMoreCandidatesThanASearchHolds() async {
    for (factor, largest) in [(3, Int.max), (2, 1 << 24)] {
      let settings = HalvingSettings(factor: factor, resource: .hyperparameter("rounds"), largest: largest)
      await expectRefusal(
        AdaptiveSearch(distribution, .hyperband(settings), options), "Hyperband",
        "at most 10,000,000 candidates",
        "raise the least")
    }
  }

  @Test func aModelBasedSearchIsAsLimited() async {
    let search = AdaptiveSearch(distribution, .parzen(ParzenSettings(candidates: .max)), options)
    await expectRefusal(search, "model-based", "at most 10,000,000 candidates")
    // It is known before there is data.
    #expect(throws: ApusError.self) { try search.candidateCount() }
  }

  @Test func aRuleThatEndsTheSearchMakesRoomForMore() async throws {
    var search = AdaptiveSearch(distribution, .random(draws: 10_000_000), options)
    search.options.splitter = ShuffleSplit(splitCount: 20)
    await expectRefusal(search, "10,000,000 candidates on 20 folds", "100,000,000 fits")
    search.stopRules.mostFits = 40
    let results = try await search.run(on: rows(), backend: SequentialBackend()).results
    #expect(results.candidates.count == 2)
  }

  @Test func theSamplerProposesBetweenAnyBounds() throws {
    for (low, high) in [(Int.min, Int.max), (0, Int.max), (Int.max - 1, Int.max)] {
      var sampler = try TreeParzenSampler(["x": .integer(low, high)], seed: Seed(3))
      for _ in 0..<40 {
        let proposal = sampler.ask()
        let value = try #require(proposal["x"])
        guard case .integer(let number) = value else {
          Issue.record("\(value) is no whole number")
          return
        }
        #expect((low...high).contains(number))
        sampler.tell(proposal, score: -abs(Double(number)))
      }
    }
  }

  @Test func theSamplerRefusesBoundsWhoseDistanceIsNoNumber() {
    #expect {
      try TreeParzenSampler(["constant": .uniform(-1e308, 1e308)], seed: Seed(3))
    } throws: { "\($0)".contains("'constant': uniform(-1e+308, 1e+308)") }
  }

  @Test func rulesThatMakeNoSenseAreNamed() async {
    let cases: [(StopRules, String)] = [
      (StopRules(mostFits: 0), "mostFits must be at least 1, but is 0"),
      (StopRules(patience: -1), "patience must be at least 1, but is -1"),
      (StopRules(targetScore: .nan), "targetScore must be a number"),
      (StopRules(timeBudget: .zero), "timeBudget must be above 0"),
    ]
    for (rules, message) in cases {
      var search = AdaptiveSearch(factors(3), .grid, options)
      search.stopRules = rules
      await expectRefusal(search, message)
    }
  }
}
