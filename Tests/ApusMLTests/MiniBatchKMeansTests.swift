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
  var miniBatchOptions: [String: [Double]]
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

  @Test(arguments: [
    "centres", "reassignment", "no reassignment", "little patience", "no patience rule", "small batches",
  ]) func inertiaWithAnOptionIsThatOfScikitLearn(option: String) throws {
    let expected = try #require(golden.miniBatchOptions[option])
    var estimator = estimator()
    switch option {
    case "centres": estimator.initialization = .centres(data.features.rows(0..<10).rowArrays)
    case "reassignment": estimator.reassignmentRatio = 0.6
    case "no reassignment": estimator.reassignmentRatio = 0
    case "little patience": estimator.maxNoImprovement = 1
    case "no patience rule": (estimator.maxNoImprovement, estimator.maxIterations) = (nil, 30)
    default: estimator.batchSize = 20
    }
    let inertias = try (0..<20).map { try estimator.fit(data, FitContext(seed: Seed($0))).inertia }
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      let mean = values.reduce(0, +) / 20
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19)
    }
    let (own, other) = (moments(inertias), moments(expected))
    // Four standard errors of the difference of two means of twenty.
    let tolerance = 4 * ((own.variance + other.variance) / 20).squareRoot()
    #expect(abs(own.mean - other.mean) < tolerance, "\(own) against \(other)")
  }

  /// A centre far from every row gets none: it stays there, or is moved to a row, as the ratio says.
  @Test func aCentreWithoutRowsStaysOrIsMoved() throws {
    var estimator = MiniBatchKMeans()
    (estimator.clusterCount, estimator.batchSize) = (3, 50)
    let far = [[Double](repeating: 1e4, count: data.featureCount)]
    estimator.initialization = .centres(data.features.rows(0..<2).rowArrays + far)
    estimator.reassignmentRatio = 0
    let left = try estimator.fit(data)
    #expect(left.centres.row(2) == far[0] && left.clusterSizes[2] == 0)
    estimator.reassignmentRatio = 0.01
    let moved = try estimator.fit(data)
    #expect(moved.clusterSizes[2] > 0 && moved.inertia < left.inertia)
  }

  @Test func patienceEndsTheRun() throws {
    var lengths: [Int] = []
    for patience in [1, 5, 25] {
      var estimator = estimator()
      estimator.maxNoImprovement = patience
      let ends = try (0..<5).map {
        try #require(try estimator.fit(data, FitContext(seed: Seed($0))).convergence)
      }
      // The first batch is not counted, and one sets the mark.
      #expect(ends.allSatisfy { $0.converged && $0.iterations >= patience + 2 })
      lengths.append(ends.reduce(0) { $0 + $1.iterations })
    }
    #expect(lengths == lengths.sorted() && Set(lengths).count == 3)
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
