import ApusML
import ApusParallel
import ApusSearch
import Foundation
import Testing

@Suite struct StoppingTests {
  private func results(
    _ search: AdaptiveSearch, workers: Int = 2
  ) async throws -> SearchResults {
    try await search.run(on: rows(), backend: ThreadBackend(workers: workers)).results
  }

  @Test func aTargetEndsTheSearchAtTheSameCandidateEverywhere() async throws {
    let all = try await results(AdaptiveSearch(factors(30), .grid, options))
    #expect(all.stopReason == nil && all.candidates.count == 30)
    let target = try #require(all.ranked[4].scores[0].mean as Double?)
    let expected = try #require(all.candidates.firstIndex { $0.scores[0].mean >= target })
    var search = AdaptiveSearch(factors(30, milliseconds: 1), .grid, options)
    search.stopRules.targetScore = target
    for workers in [1, 2, 4] {
      let stopped = try await results(search, workers: workers)
      #expect(stopped.candidates.count == expected + 1)
      #expect(
        stopped.candidates.map { $0.scores[0].test }
          == all.candidates.prefix(expected + 1).map { $0.scores[0].test })
      #expect(stopped.stopReason?.contains("target") == true && stopped.isComplete)
    }
  }

  /// Scores of candidates that learnt from fewer rows than others will are not what results are ranked by.
  @Test func aTargetIsReachedWithAllOfTheResource() async throws {
    let halving = SearchMethod.halving(HalvingSettings(smallest: 12))
    let all = try await results(AdaptiveSearch(factors(20), halving, options))
    let most = all.candidates.compactMap { $0.stage?.resource }.max() ?? 0
    let partial = all.candidates.filter { $0.stage?.resource != most }.map { $0.scores[0].mean }
    let best = try #require(all.best?.scores[0].mean)
    // A score that some candidate has, or seems to have, with less of the resource already.
    let target = min(best, partial.max() ?? best)
    var search = AdaptiveSearch(factors(20), halving, options)
    (search.stopRules.targetScore, search.stopRules.patience) = (target, 5)
    let stopped = try await results(search)
    let reached = try #require(stopped.best)
    #expect(reached.scores[0].mean >= target && reached.stage?.resource == most)
    #expect(stopped.candidates.count { $0.stage?.resource != most } == partial.count)
    #expect(stopped.stopReason?.contains("target") == true)
  }

  @Test func patienceEndsTheSearchAtTheSameCandidateEverywhere() async throws {
    let all = try await results(AdaptiveSearch(factors(40), .grid, options))
    let means = all.candidates.map { $0.scores[0].mean }
    var (best, since, expected) = (-Double.infinity, 0, means.count - 1)
    for (index, mean) in means.enumerated() {
      since = mean > best ? 0 : since + 1
      best = max(best, mean)
      if since == 6 {
        expected = index
        break
      }
    }
    var search = AdaptiveSearch(factors(40), .grid, options)
    search.stopRules.patience = 6
    for workers in [1, 4] {
      let stopped = try await results(search, workers: workers)
      #expect(stopped.candidates.count == expected + 1)
    }
  }

  @Test func aLimitOfFitsIsKept() async throws {
    let tag = CountedMean.newTag()
    var search = AdaptiveSearch(factors(30, tag: tag), .random(draws: 30), options)
    search.stopRules.mostFits = 38
    let stopped = try await results(search)
    #expect(stopped.candidates.count == 7 && CountedMean.fits(tag).count == 35)
    #expect(stopped.stopReason?.contains("38 fits") == true && stopped.isComplete)
  }

  @Test func aTimeBudgetEndsTheSearch() async throws {
    var search = AdaptiveSearch(factors(4_000, milliseconds: 5), .grid, options)
    search.stopRules.timeBudget = .milliseconds(200)
    let stopped = try await results(search)
    #expect(stopped.candidates.count < 4_000 && stopped.stopReason?.contains("time budget") == true)
    #expect(stopped.best != nil)
  }

  @Test func racingSparesFitsAndFindsTheSameBest() async throws {
    let (tag, all) = (CountedMean.newTag(), try await results(AdaptiveSearch(factors(40), .grid, options)))
    var search = AdaptiveSearch(factors(40, tag: tag), .grid, options)
    search.racing = Racing(lag: 4)
    let raced = try await results(search)
    #expect(raced.best?.index == all.best?.index)
    #expect(CountedMean.fits(tag).count < 160)
    // What was not given up has the scores that it had before.
    for (one, other) in zip(raced.candidates, all.candidates) where !one.scores[0].mean.isNaN {
      #expect(one.scores[0].test == other.scores[0].test)
    }
    let sequential = try await search.run(on: rows(), backend: SequentialBackend()).results
    #expect(essence(sequential) == essence(raced))
  }

  /// What racing spares is spent on further candidates, the same ones whichever fits end first.
  @Test func racingWithALimitOfFitsIsTheSameEverywhere() async throws {
    var search = AdaptiveSearch(factors(40, milliseconds: 0.3), .grid, options)
    search.racing = Racing(lag: 4)
    search.stopRules.mostFits = 90
    let expected = try await search.run(on: rows(), backend: SequentialBackend()).results
    #expect((19..<40).contains(expected.candidates.count), "\(expected.candidates.count)")
    #expect(expected.candidates.reduce(0) { $0 + $1.fitSeconds.count { !$0.isNaN } } <= 90)
    for workers in [2, 3, 8] {
      #expect(try await essence(results(search, workers: workers)) == essence(expected))
    }
  }

  @Test func aLimitBelowTheNumberOfFoldsIsRefused() async throws {
    var search = AdaptiveSearch(factors(3), .grid, options)
    search.stopRules.mostFits = 4
    await #expect {
      _ = try await results(search)
    } throws: { ($0 as? ApusError)?.kind == .invalidParameter && "\($0)".contains("4 fits") }
  }

  @Test func failuresAreRowsHereToo() async throws {
    var estimator = CountedMean()
    estimator.failsAbove = 1
    let space = SearchSpace(ParameterGrid(estimator).varying(\.factor, over: .uniform(0.5, 1.5)))
    let found = try await results(AdaptiveSearch(space, .parzen(ParzenSettings(candidates: 20)), options))
    #expect(!found.failures.isEmpty && found.best != nil)
    #expect(found.failures.allSatisfy { $0.message.contains("is above 1.0") })
    estimator.failsAbove = 0
    let hopeless = SearchSpace(ParameterGrid(estimator).varying(\.factor, [0.5, 1]))
    await #expect(throws: ApusError.self) {
      _ = try await results(AdaptiveSearch(hopeless, .halving(HalvingSettings(smallest: 30)), options))
    }
  }

  @Test func senselessSettingsAreRefused() async throws {
    var raced = AdaptiveSearch(factors(3), .halving(HalvingSettings()), options)
    raced.racing = Racing()
    #expect(throws: ApusError.self) { try raced.candidateCount() }
    var rules = AdaptiveSearch(factors(3), .grid, options)
    rules.stopRules.patience = 0
    #expect(throws: ApusError.self) { try rules.candidateCount() }
    await #expect(throws: ApusError.self) {
      _ = try await results(AdaptiveSearch(factors(3), .halving(HalvingSettings(factor: 1)), options))
    }
    await #expect(throws: ApusError.self) {
      _ = try await results(AdaptiveSearch(factors(3), .halving(HalvingSettings(largest: 5_000)), options))
    }
  }
}
