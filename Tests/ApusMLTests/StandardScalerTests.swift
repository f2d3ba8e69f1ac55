import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

private struct ScalingGoldens: Decodable {
  var features: [[Double]]
  var weights: [Double]
  var mean: [Double]
  var scale: [Double]
  var transformed: [[Double]]
  var weightedMean: [Double]
  var weightedScale: [Double]
}

@Suite struct StandardScalerTests {
  private let golden: ScalingGoldens
  private let features: Matrix<Double>

  init() throws {
    golden = try Golden.load("scaling.json")
    features = Matrix(golden.features)
  }

  @Test func equalsScikitLearn() throws {
    let model = try StandardScaler().fit(Dataset(features: features))
    for column in 0..<5 {
      #expect(abs(model.offset![column] / golden.mean[column] - 1) < 1e-13)
      #expect(abs(model.scale![column] / golden.scale[column] - 1) < 1e-9)
    }
    let transformed = try model.transform(features).elements
    for (value, expected) in zip(transformed, golden.transformed.flatMap { $0 }) {
      #expect(abs(value - expected) < 1e-8 || (value.isNaN && expected.isNaN))
    }
  }

  @Test func equalsScikitLearnWithWeights() throws {
    let model = try StandardScaler().fit(Dataset(features: features, weights: golden.weights))
    for column in 0..<5 {
      #expect(abs(model.offset![column] / golden.weightedMean[column] - 1) < 1e-13)
      #expect(abs(model.scale![column] / golden.weightedScale[column] - 1) < 1e-9)
    }
  }

  @Test func stepsCanBeLeftOut() throws {
    var scaler = StandardScaler()
    scaler.withMean = false
    let data = try Dataset(features: Matrix([[1.0], [3]]))
    #expect(try scaler.fit(data).transform(data.features).elements == [1, 3])
    scaler.withMean = true
    scaler.withStd = false
    #expect(try scaler.fit(data).transform(data.features).elements == [-1, 1])
  }

  @Test func threadsChangeNoBit() throws {
    var random = Seed(1).randomSource()
    let many = Matrix<Double>(rowCount: 30_000, columnCount: 3) { elements in
      for index in elements.indices { elements[index] = random.normal() }
    }
    let models = try [1, 2, 4].map {
      try StandardScaler().fit(Dataset(features: many), FitContext(compute: ComputeContext(threads: $0)))
    }
    #expect(models[0].offset == models[1].offset && models[1].offset == models[2].offset)
    #expect(models[0].scale == models[1].scale && models[1].scale == models[2].scale)
    #expect(
      try models[0].transform(many, .sequential) == models[0].transform(many, ComputeContext(threads: 4)))
  }

  @Test func badInputIsRefused() throws {
    #expect { try StandardScaler().fit(Dataset(features: Matrix([[1.0], [-.infinity]]))) } throws: {
      "\($0)".contains("row 2")
    }
    let categories = try Dataset(
      features: Matrix([[0.0]]), columns: [Feature(name: "colour", categories: ["red"])])
    #expect { try StandardScaler().fit(categories) } throws: { "\($0)".contains("'colour'") }
    let model = try StandardScaler().fit(Dataset(features: features))
    #expect { try model.transform(Matrix([[1.0]])) } throws: { ($0 as? ApusError)?.kind == .shape }
  }
}

@Suite struct PipelineTests {
  @Test func aTransformerIsFittedBeforeTheLastStep() throws {
    let features = Matrix<Double>([[0, 0], [1, 1000], [0, 1000], [1, 0]])
    var estimator = Pipeline(StandardScaler(), KMeans())
    estimator.last.clusterCount = 2
    estimator.last.initialization = .centres([[-1, 0], [1, 0]])
    let model = try estimator.fit(Dataset(features: features))
    #expect(try model.assignClusters(features) == [0, 1, 0, 1])
    #expect(model.featureCount == 2)
    #expect(model.convergence?.converged == true)
  }

  @Test func stepsOfAnyNumberAreFoundByName() throws {
    let name = "standard-scaler+standard-scaler+k-means"
    let estimator = try AnyEstimator(
      named: name, parameters: ["kMeans.clusterCount": .integer(5), "kmeans__max_iter": .integer(7)])
    #expect(estimator.name == name)
    #expect(estimator.task == .clustering)
    let pipeline = try #require(
      estimator.base as? Pipeline<StandardScaler, Pipeline<StandardScaler, KMeans>>)
    #expect(pipeline.last.last.clusterCount == 5)
    #expect(pipeline.last.last.maxIterations == 7)
    let changed = try estimator.base.setting([
      "standardScaler.withMean": .boolean(false), "standardscaler2__with_std": .boolean(false),
    ])
    let steps = try #require(changed as? Pipeline<StandardScaler, Pipeline<StandardScaler, KMeans>>)
    #expect(!steps.first.withMean && steps.first.withStd)
    #expect(steps.last.first.withMean && !steps.last.first.withStd)
    let data = try JSONEncoder().encode(estimator)
    #expect(try JSONDecoder().decode(AnyEstimator.self, from: data) == estimator)
    #expect(
      try AnyEstimator(named: "standard-scaler+k-means", parameters: ["n_clusters": .integer(4)]).parameters[
        "kMeans.clusterCount"] == .integer(4))
  }

  @Test func anEstimatorThatDoesNotTransformMustBeLast() {
    #expect { try AnyEstimator(named: "k-means+standard-scaler") } throws: {
      "\($0)".contains("does not transform")
    }
  }

  @Test func modelsSurviveAJourneyThroughJSON() throws {
    var estimator = Pipeline(StandardScaler(), KMeans())
    estimator.last.clusterCount = 2
    let features = Matrix([[0.1, 0], [1, 1000], [0, 1000.3], [1, 0]])
    let model = try estimator.fit(Dataset(features: features))
    let copy = try JSONDecoder().decode(type(of: model), from: JSONEncoder().encode(model))
    #expect(try copy.assignClusters(features) == model.assignClusters(features))
    #expect(copy.last.centres == model.last.centres)
  }
}
