import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

private struct KMeansGoldens: Decodable {
  struct Case: Decodable {
    var features: [[Double]]
    var start: [[Double]]
    var weights: [Double]?
    var maxIterations: Int
    var tolerance: Double
    var centres: [[Double]]
    var labels: [Int32]
    var inertia: Double
    var iterations: Int

    var data: Dataset { get throws { try Dataset(features: Matrix(features), weights: weights) } }

    var estimator: KMeans {
      var estimator = KMeans()
      estimator.clusterCount = start.count
      estimator.initialization = .centres(start)
      estimator.maxIterations = maxIterations
      estimator.tolerance = tolerance
      return estimator
    }
  }

  var cases: [Case]
  var digitsSpread: [Double]
  var digitsRandomSpread: [Double]
  var irisSpread: [Double]
}

private let goldens = Result { try Golden.load("kmeans.json", as: KMeansGoldens.self) }

@Suite struct KMeansTests {
  @Test(arguments: 0..<6) func equalsScikitLearnFromTheSameCentres(index: Int) throws {
    let golden = try goldens.get().cases[index]
    let model = try golden.estimator.fit(golden.data)
    #expect(relativeDifference(model.centres.elements, golden.centres.flatMap { $0 }) < 1e-12)
    #expect(try model.assignClusters(golden.data.features) == golden.labels)
    #expect(abs(model.inertia / golden.inertia - 1) < 1e-9)
    #expect(model.convergence?.iterations == golden.iterations)
    #expect(model.convergence?.converged == (golden.iterations < golden.maxIterations))
  }

  @Test func skippingRowsAndThreadsChangeNoBit() throws {
    var random = Seed(5).randomSource()
    let features = Matrix<Double>(rowCount: 5000, columnCount: 9) { elements in
      for index in elements.indices { elements[index] = random.normal() * 10 + 3 }
    }
    let weights = (0..<5000).map { _ in random.uniform() * 3 }
    let data = try Dataset(features: features, weights: weights)
    var estimator = KMeans()
    estimator.clusterCount = 13
    estimator.initCount = 2
    func fit(_ algorithm: KMeansAlgorithm, threads: Int) throws -> KMeansModel {
      estimator.algorithm = algorithm
      return try estimator.fit(data, FitContext(seed: Seed(3), compute: ComputeContext(threads: threads)))
    }
    let reference = try fit(.lloyd, threads: 1)
    for model in [
      try fit(.hamerly, threads: 1), try fit(.hamerly, threads: 2), try fit(.automatic, threads: 4),
    ] {
      #expect(model.centres == reference.centres)
      #expect(model.inertia == reference.inertia)
      #expect(model.convergence == reference.convergence)
    }
    #expect(try reference.inertia(features, weights: weights, .sequential) == reference.inertia)
  }

  @Test(arguments: ["digitsSpread", "digitsRandomSpread", "irisSpread"])
  func inertiaOverSeedsIsThatOfScikitLearn(name: String) throws {
    let goldens = try goldens.get()
    let isIris = name == "irisSpread"
    let expected =
      isIris
      ? goldens.irisSpread : name == "digitsSpread" ? goldens.digitsSpread : goldens.digitsRandomSpread
    let data = try goldens.cases[isIris ? 0 : 5].data
    var estimator = KMeans()
    estimator.clusterCount = isIris ? 5 : 10
    estimator.initialization = name == "digitsRandomSpread" ? .random : .kMeansPlusPlus
    estimator.initCount = 1
    let inertias = try (0..<30).map { try estimator.fit(data, FitContext(seed: Seed(UInt64($0)))).inertia }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let deviation = mean(expected.map { pow($0 - mean(expected), 2) }).squareRoot()
    #expect(abs(mean(inertias) - mean(expected)) < deviation)
    #expect(inertias.min()! > expected.min()! * 0.99)
  }

  @Test func moreRunsAreNoWorse() throws {
    let data = try goldens.get().cases[5].data
    var estimator = KMeans()
    let once = try estimator.fit(data).inertia
    estimator.initCount = 8
    #expect(try estimator.fit(data).inertia <= once)
  }

  @Test func rowsOfWeightZeroDoNotMatter() throws {
    let golden = try goldens.get().cases[0]
    let far = [[1e6, 0, 0, 0], [0, -1e6, 3, 3]]
    let data = try Dataset(
      features: Matrix(golden.features + far),
      weights: [Double](repeating: 1, count: golden.features.count) + [0, 0])
    let model = try golden.estimator.fit(data)
    #expect(relativeDifference(model.centres.elements, golden.centres.flatMap { $0 }) < 1e-12)
  }

  @Test(arguments: [1e-100, 1e-30, 1e30, 1e150]) func scaleDoesNotMatter(scale: Double) throws {
    let golden = try goldens.get().cases[0]
    var estimator = golden.estimator
    estimator.initialization = .centres(golden.start.map { $0.map { $0 * scale } })
    let data = try Dataset(features: Matrix(golden.features.map { $0.map { $0 * scale } }))
    #expect(try estimator.fit(data).assignClusters(data.features) == golden.labels)
  }

  @Test func duplicatesAndTiesAreHandled() throws {
    var estimator = KMeans()
    estimator.clusterCount = 3
    let rows = [[0.0, 0], [0, 0], [0, 0], [4, 0], [4, 0], [0, 9]]
    let model = try estimator.fit(Dataset(features: Matrix(rows)))
    #expect(model.inertia == 0)
    #expect(model.clusterSizes.sorted() == [1, 2, 3])
    estimator.clusterCount = 4
    #expect { try estimator.fit(Dataset(features: Matrix(rows))) } throws: {
      ($0 as? ApusError)?.kind == .data && "\($0)".contains("only 3 different rows")
    }
    estimator.clusterCount = 1
    let mean = try estimator.fit(Dataset(features: Matrix(rows))).centres.elements
    #expect(relativeDifference(mean, [8.0 / 6, 1.5]) < 1e-15)
  }

  @Test func badInputIsRefused() throws {
    let data = try Dataset(features: Matrix([[1.0, 2], [3, 4]]))
    var estimator = KMeans()
    #expect { try estimator.fit(data) } throws: { "\($0)".contains("2 rows cannot form 8 clusters") }
    estimator.clusterCount = 0
    #expect { try estimator.fit(data) } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
    estimator.clusterCount = 2
    #expect { try estimator.fit(Dataset(features: Matrix([[1.0], [.nan]]))) } throws: {
      "\($0)".contains("row 2")
    }
    estimator.initialization = .centres([[0]])
    #expect { try estimator.fit(data) } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
    estimator.initialization = .centres([[0], [1]])
    #expect { try estimator.fit(data) } throws: { ($0 as? ApusError)?.kind == .shape }
    let model = try KMeans().setting(["n_clusters": .integer(2)]).fit(data)
    #expect { try model.assignClusters(Matrix([[1.0]])) } throws: { ($0 as? ApusError)?.kind == .shape }
  }

  @Test func survivesAJourneyThroughJSON() throws {
    let estimator = try AnyEstimator(
      named: "k-means",
      parameters: ["init": .list([.list([.real(1)]), .list([.integer(2)])]), "n_clusters": .integer(2)])
    let data = try JSONEncoder().encode(estimator)
    #expect(try JSONDecoder().decode(AnyEstimator.self, from: data) == estimator)
    #expect((estimator.base as? KMeans)?.initialization == .centres([[1], [2]]))
  }
}
