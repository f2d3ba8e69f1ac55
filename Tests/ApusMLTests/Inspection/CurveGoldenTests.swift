import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

/// Curves and importances, made with scikit-learn by `make_selection.py`.
private struct CurveGoldens: Decodable {
  struct Learning: Decodable {
    var fractions: [Double]
    var metric: String
    var sizes: [Int]
    var train: [[Double]]
    var test: [[Double]]
  }
  struct Validation: Decodable {
    var parameter: String
    var values: [Double]
    var metric: String
    var train: [[Double]]
    var test: [[Double]]
  }
  struct Importance: Decodable {
    var metric: String
    var repeats: Int
    var weighted: Bool
    var means: [Double]
    var deviations: [Double]
  }
  var learning: [String: Learning]
  var validation: [String: Validation]
  var importance: [String: Importance]
}

@Suite struct CurveGoldenTests {
  private let goldens: CurveGoldens

  init() throws { goldens = try Golden.load("curves.json") }

  private func expectEqual(_ actual: [[Double]], _ expected: [[Double]], _ name: String) {
    #expect(relativeDifference(actual.flatMap { $0 }, expected.flatMap { $0 }) < 1e-9, "\(name)")
  }

  @Test(arguments: ["ridge", "ridge, uneven folds", "bayes"])
  func learningCurvesEqualScikitLearn(name: String) async throws {
    let golden = try #require(goldens.learning[name])
    let splitter: any Splitter =
      name == "bayes" ? StratifiedKFold(folds: 5) : KFold(folds: name == "ridge" ? 4 : 5)
    let options = SearchOptions(splitter: splitter, metrics: [try Metric.named(golden.metric)])
    let data = try Dataset(bundled: name == "bayes" ? "breast-cancer" : "diabetes")
    let curve =
      if name == "bayes" {
        try await LearningCurve.compute(
          GaussianNaiveBayes(), on: data, fractions: golden.fractions, options, backend: SequentialBackend())
      } else {
        try await LearningCurve.compute(
          Ridge(), on: data, fractions: golden.fractions, options, backend: SequentialBackend())
      }
    #expect(curve.trainSizes == golden.sizes)
    expectEqual(curve.trainScores[0], golden.train, name)
    expectEqual(curve.testScores[0], golden.test, name)
  }

  @Test func validationCurvesEqualScikitLearn() async throws {
    let ridge = try #require(goldens.validation["ridge"])
    let alphas = ParameterSpace.values(ridge.values.map { .real($0) })
    let curve = try await ValidationCurve.compute(
      Ridge(), varying: ridge.parameter, over: alphas, on: Dataset(bundled: "diabetes"),
      SearchOptions(splitter: KFold(folds: 4), metrics: [try Metric.named(ridge.metric)]),
      backend: SequentialBackend())
    #expect(curve.values == ridge.values.map { .real($0) })
    expectEqual(curve.scores[0].map(\.test), ridge.test, "ridge")
    expectEqual(try curve.scores[0].map { try #require($0.train) }, ridge.train, "ridge")
    let neighbours = try #require(goldens.validation["neighbours"])
    let counts = ParameterSpace.values(neighbours.values.map { .integer(Int($0)) })
    let other = try await ValidationCurve.compute(
      KNeighboursClassifier(), varying: neighbours.parameter, over: counts,
      on: Dataset(bundled: "breast-cancer"),
      SearchOptions(splitter: StratifiedKFold(folds: 3), metrics: [try Metric.named(neighbours.metric)]),
      backend: SequentialBackend())
    expectEqual(other.scores[0].map(\.test), neighbours.test, "neighbours")
    expectEqual(try other.scores[0].map { try #require($0.train) }, neighbours.train, "neighbours")
  }

  @Test(arguments: ["least squares", "least squares, weights", "bayes"])
  func permutationImportancesEqualScikitLearn(name: String) throws {
    let golden = try #require(goldens.importance[name])
    var data = try Dataset(bundled: name == "bayes" ? "breast-cancer" : "diabetes")
    if name == "bayes" {
      let first = Matrix(data.features.rowArrays.map { Array($0.prefix(8)) })
      data = data.replacingFeatures(first, columns: Array(data.columns.prefix(8)))
    }
    let train = data.gatheringRows(stride(from: 0, to: data.rowCount, by: 2).map { $0 })
    if golden.weighted { data = try data.replacingWeights((0..<data.rowCount).map { [0.1, 1, 10][$0 % 3] }) }
    let test = data.gatheringRows(stride(from: 1, to: data.rowCount, by: 2).map { $0 })
    let model: any FittedModel =
      name == "bayes" ? try GaussianNaiveBayes().fit(train) : try LinearRegression().fit(train)
    let importance = try PermutationImportance(
      of: model, on: test, metric: Metric.named(golden.metric), repeats: golden.repeats)
    let count = Double(golden.repeats)
    for column in 0..<data.featureCount {
      let (deviation, expected) = (importance.standardDeviations[column], golden.deviations[column])
      // Four standard errors of the difference of two means, and of the ratio of two deviations of normal numbers.
      let error = ((deviation * deviation + expected * expected) / count).squareRoot()
      #expect(
        abs(importance.means[column] - golden.means[column]) < 4 * error + 1e-12,
        "\(data.columns[column].name)")
      #expect(abs(deviation - expected) < 4 * expected / count.squareRoot() + 1e-12)
    }
  }
}
