import ApusData
import ApusML
import ApusParallel
import ApusSearch
import ApusTestSupport
import Testing

@Suite struct ComparisonTests {
  private struct Goldens: Decodable {
    struct Test: Decodable {
      var left, right: [Double]
      var ratio, statistic, p, low, high: Double
    }
    struct Student: Decodable { var t, degrees, p, quantile: Double }
    struct Nested: Decodable { var alphas, scores, chosen: [Double] }
    struct OneStandardError: Decodable {
      var alphas: [Double]
      var best, chosen: Double
    }
    var corrected_t_tests: [Test]
    var student: [Student]
    var nested: Nested
    var one_standard_error: OneStandardError
  }

  private let goldens: Goldens

  init() throws { goldens = try Golden.load("adaptive_search.json") }

  @Test func theCorrectedTestIsThatOfTheFormula() {
    for golden in goldens.corrected_t_tests {
      let test = CorrectedResampledTTest(
        differences: zip(golden.left, golden.right).map { $0 - $1 }, testRatio: golden.ratio)
      #expect(abs(test.statistic - golden.statistic) < 1e-10)
      #expect(abs(test.probability - golden.p) < 1e-12)
      #expect(abs(test.interval(0.95).lowerBound - golden.low) < 1e-12)
      #expect(abs(test.interval(0.95).upperBound - golden.high) < 1e-12)
    }
    #expect(goldens.corrected_t_tests.count == 5)
  }

  @Test(arguments: [[0.1, .nan], [.infinity, 0.2], [.nan, .nan, .nan], [.infinity, -.infinity]])
  func whereScoresAreMissingNothingIsKnown(differences: [Double]) {
    let test = CorrectedResampledTTest(differences: differences, testRatio: 0.25)
    #expect(test.interval() == -.infinity ... .infinity)
  }

  @Test func theDistributionIsSciPys() {
    for golden in goldens.student {
      // Differences of ±1 around a mean give any statistic that is wanted.
      let count = Int(golden.degrees) + 1
      let signs = (0..<count).map { count % 2 == 1 && $0 == count - 1 ? 0.0 : $0 % 2 == 0 ? 1.0 : -1.0 }
      let variance = signs.reduce(0) { $0 + $1 * $1 } / golden.degrees
      let mean = golden.t * (variance / Double(count)).squareRoot()
      let test = CorrectedResampledTTest(differences: signs.map { $0 + mean }, testRatio: 0)
      #expect(abs(test.probability - golden.p) <= 1e-9 * max(golden.p, 1e-3))
      let reach = (test.interval(0.95).upperBound - test.mean) / test.standardError
      #expect(abs(reach - golden.quantile) < 1e-9 * golden.quantile)
    }
  }

  @Test func nestedCrossValidationIsScikitLearns() async throws {
    let data = try Dataset(bundled: "diabetes")
    let search = GridSearch(
      ParameterGrid(Ridge()).varying(\.alpha, goldens.nested.alphas),
      SearchOptions(splitter: KFold(folds: 4), metrics: [.r2]))
    for backend in [1, 2] {
      let nested = try await nestedCrossValidate(
        search, on: data, outer: KFold(folds: 5), backend: ThreadBackend(workers: backend))
      #expect(nested.folds.map { $0.chosen.parameters["alpha"]?.number } == goldens.nested.chosen)
      #expect(relativeDifference(nested.folds.map { $0.scores[0] }, goldens.nested.scores) < 1e-8)
    }
  }

  @Test func theOneStandardErrorRuleChoosesTheStrongestPenaltyThatIsGoodEnough() async throws {
    let golden = goldens.one_standard_error
    let data = try Dataset(bundled: "diabetes")
    let grid = ParameterGrid(Ridge()).varying(\.alpha, golden.alphas)
    for choice in [
      CandidateChoice.oneStandardError(), .oneStandardError([Simplicity("alpha", isLargerSimpler: true)]),
    ] {
      let outcome = try await GridSearch(
        grid, SearchOptions(splitter: KFold(folds: 5), metrics: [.r2], choice: choice)
      ).run(on: data, backend: ThreadBackend(workers: 2))
      #expect(outcome.best?.parameters["alpha"]?.number == golden.best)
      #expect(outcome.chosen?.parameters["alpha"]?.number == golden.chosen)
      let refitted = try Ridge().setting(["alpha": .real(golden.chosen)]).fit(data)
      #expect((outcome.bestModel as? LinearRegressionModel)?.coefficients == refitted.coefficients)
    }
  }

  @Test func theBestIsComparedWithTheNext() async throws {
    let data = try Dataset(bundled: "diabetes")
    let grid = ParameterGrid(Ridge()).varying(\.alpha, [0.01, 0.011, 1e6])
    let results = try await GridSearch(grid, SearchOptions(splitter: RepeatedKFold(folds: 5, repeats: 3)))
      .run(
        on: data, backend: ThreadBackend(workers: 2)
      ).results
    #expect(abs(results.testRatio - 0.25) < 0.003)
    let comparisons = results.comparisonsWithBest()
    #expect(comparisons.count == 2)
    #expect(comparisons[0].test.probability > 0.05 && comparisons[1].test.probability < 1e-4)
    #expect(comparisons[1].test.interval(0.95).lowerBound > 0.2)
  }
}
