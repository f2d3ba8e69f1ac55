import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

private struct MiniBatchGoldens: Decodable {
  struct Case: Decodable {
    var features: [[Double]]
  }

  var cases: [Case]
  var miniBatchSpread: [Double]
  var weightedMiniBatchSpread: [Double]
}

@Suite struct MiniBatchKMeansTests {
  private let golden: MiniBatchGoldens
  private let data: Dataset

  init() throws {
    golden = try Golden.load("kmeans.json")
    data = try Dataset(features: Matrix(golden.cases[5].features))
  }

  private func estimator() -> MiniBatchKMeans {
    var estimator = MiniBatchKMeans()
    (estimator.clusterCount, estimator.batchSize) = (10, 100)
    return estimator
  }

  @Test func inertiaOverSeedsIsThatOfScikitLearn() throws {
    let expected = golden.miniBatchSpread.sorted()
    let inertias = try (0..<30).map {
      try estimator().fit(data, FitContext(seed: Seed(UInt64($0)))).inertia
    }.sorted()
    let mean = expected.reduce(0, +) / 30
    #expect(abs(inertias.reduce(0, +) / 30 - mean) < (expected[24] - expected[5]) / 2)
    #expect(inertias[0] > expected[0] * 0.98)
  }

  /// Weights of three orders of magnitude: whoever took no notice of them would end elsewhere.
  @Test func inertiaOfWeightedRowsIsThatOfScikitLearn() throws {
    let expected = golden.weightedMiniBatchSpread.sorted()
    let weighted = try data.replacingWeights((0..<300).map { [1, 10, 100][$0 % 3] })
    let inertias = try (0..<30).map {
      try estimator().fit(weighted, FitContext(seed: Seed(UInt64($0)))).inertia
    }.sorted()
    let mean = expected.reduce(0, +) / 30
    #expect(abs(inertias.reduce(0, +) / 30 - mean) < (expected[24] - expected[5]) / 2)
    #expect(inertias[0] > expected[0] * 0.98)
  }

  @Test func withoutARuleToEndItNothingIsSaidOfConvergence() throws {
    var all = estimator()
    (all.maxNoImprovement, all.maxIterations) = (nil, 2)
    #expect(try all.fit(data).convergence == nil)
    all.maxNoImprovement = 1000
    let stopped = try #require(try all.fit(data).convergence)
    #expect(!stopped.converged && stopped.iterations == 6)
    #expect(try #require(try estimator().fit(data).convergence).converged)
  }

  @Test func threadsChangeNoBit() throws {
    let models = try [1, 2, 4].map {
      try estimator().fit(data, FitContext(seed: Seed(3), compute: ComputeContext(threads: $0)))
    }
    #expect(models[0].centres == models[1].centres && models[1].centres == models[2].centres)
    #expect(models[0].inertia == models[2].inertia)
    #expect(models[0].clusterSizes.reduce(0, +) == 300)
  }

  @Test func rowsOfWeightZeroDoNotCount() throws {
    let features = Matrix((0..<60).map { [Double($0 % 2), $0 < 40 ? 0 : 100] })
    var estimator = MiniBatchKMeans()
    (estimator.clusterCount, estimator.reassignmentRatio) = (2, 0)
    let weighted = try Dataset(features: features, weights: (0..<60).map { $0 < 40 ? 1 : 0 })
    let model = try estimator.fit(weighted)
    #expect(model.centres.column(1) == [0, 0])
    #expect(model.clusterSizes.sorted() == [20, 20])
  }

  @Test func badInputIsRefused() throws {
    let few = try Dataset(features: Matrix([[1.0], [2]]))
    #expect { try MiniBatchKMeans().fit(few) } throws: { ($0 as? ApusError)?.kind == .data }
    var wrong = MiniBatchKMeans()
    wrong.initialization = .centres([[1]])
    #expect { try wrong.fit(few) } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
  }
}
