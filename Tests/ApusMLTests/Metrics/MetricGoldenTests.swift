import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

private struct MetricGoldens: Decodable {
  struct Classification: Decodable {
    var truth: [Int32]
    var predicted: [Int32]
    var probabilities: [[Double]]
    var weights: [Double]?
    var scores: [String: Double]
    var confusion: [[Double]]
  }
  struct Regression: Decodable {
    var truth: [Double]
    var predicted: [Double]
    var weights: [Double]?
    var scores: [String: Double]
  }
  struct Clustering: Decodable {
    var truth: [Int32]
    var clusters: [Int32]
    var scores: [String: Double]
    var points: [[Double]]?
    var silhouettes: [Double]?
  }
  var classification: [String: Classification]
  var regression: [String: Regression]
  var clustering: [String: Clustering]
}

/// A model whose predictions are known, so that metrics are tested the way searches call them.
private struct KnownPredictions: ProbabilityModel, RegressionModel, ClusteringModel {
  var classLabels: [String] = []
  var classes: [Int32] = []
  var probabilities = Matrix<Double>(rowCount: 0, columnCount: 0)
  var values: [Double] = []
  var featureCount: Int { 1 }

  func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) -> [Int32] { classes }
  func predictProbabilities(_ features: Matrix<Double>, _ compute: ComputeContext) -> Matrix<Double> {
    probabilities
  }
  func predict(_ features: Matrix<Double>, _ compute: ComputeContext) -> [Double] { values }
  func assignClusters(_ features: Matrix<Double>, _ compute: ComputeContext) -> [Int32] { classes }
  func inertia(_ features: Matrix<Double>, weights: [Double]?, _ compute: ComputeContext) -> Double { 12.5 }
}

private func labels(_ count: Int) -> [String] { (0..<count).map { "c\($0)" } }

@Suite struct MetricGoldenTests {
  private let goldens: MetricGoldens

  init() throws { goldens = try Golden.load("metrics.json") }

  @Test func classificationScoresAreThoseOfScikitLearn() throws {
    var compared = 0
    for (name, golden) in goldens.classification {
      let probabilities = Matrix(golden.probabilities)
      let labels = labels(probabilities.columnCount)
      let model = KnownPredictions(
        classLabels: labels, classes: golden.predicted, probabilities: probabilities)
      let data = try Dataset(
        features: Matrix(rowCount: golden.truth.count, columnCount: 1),
        target: .classes(indices: golden.truth, labels: labels), weights: golden.weights)
      let evaluation = Evaluation(model, on: data)
      for (score, expected) in golden.scores where score != "fbeta2_macro" {
        let actual = try Metric.named(score).score(evaluation)
        #expect(abs(actual - expected) < 1e-12, "\(name) \(score): \(actual), expected \(expected)")
        compared += 1
      }
      let confusion = try evaluation.confusion()
      #expect(abs(confusion.fBeta(2, averaging: .macro) - golden.scores["fbeta2_macro"]!) < 1e-12)
      for (row, expected) in golden.confusion.enumerated() {
        #expect(relativeDifference(labels.indices.map { confusion[row, $0] }, expected) < 1e-12)
      }
    }
    #expect(compared > 150)
  }

  @Test func regressionScoresAreThoseOfScikitLearn() throws {
    for (name, golden) in goldens.regression {
      let data = try Dataset(
        features: Matrix(rowCount: golden.truth.count, columnCount: 1), target: .values(golden.truth),
        weights: golden.weights)
      let evaluation = Evaluation(KnownPredictions(values: golden.predicted), on: data)
      for (score, expected) in golden.scores {
        let actual = try Metric.named(score).score(evaluation)
        #expect(
          abs(actual - expected) < 1e-12 * max(1, abs(expected)),
          "\(name) \(score): \(actual), expected \(expected)")
      }
    }
  }

  @Test func clusteringScoresAreThoseOfScikitLearn() throws {
    for (name, golden) in goldens.clustering {
      let points = golden.points.map { Matrix($0) }
      let data = try Dataset(
        features: points ?? Matrix(rowCount: golden.truth.count, columnCount: 1),
        target: .classes(indices: golden.truth, labels: labels(10)))
      let evaluation = Evaluation(KnownPredictions(classes: golden.clusters), on: data)
      for (score, expected) in golden.scores {
        let actual = try Metric.named(score).score(evaluation)
        #expect(abs(actual - expected) < 1e-10, "\(name) \(score): \(actual), expected \(expected)")
      }
      if let points, let silhouettes = golden.silhouettes {
        let actual = try Silhouette.scores(points, clusters: golden.clusters, .sequential)
        #expect(relativeDifference(actual, silhouettes) < 1e-10)
        for threads in [2, 4] {
          let scores = try Silhouette.scores(
            points, clusters: golden.clusters, ComputeContext(threads: threads))
          #expect(scores == actual)
        }
      }
    }
  }

  @Test func inertiaIsNegated() throws {
    let data = try Dataset(features: Matrix(rowCount: 2, columnCount: 1))
    #expect(try Metric.negInertia.score(KnownPredictions(), on: data) == -12.5)
  }
}

@Suite struct MetricTests {
  @Test func classesAreComparedByLabelWhateverTheModelHasSeen() throws {
    // The model learnt without class b, so its second class is c.
    let model = KnownPredictions(
      classLabels: ["a", "c"], classes: [0, 1, 1],
      probabilities: Matrix([[0.75, 0.25], [0.5, 0.5], [0, 1]]))
    let data = try Dataset(
      features: Matrix(rowCount: 3, columnCount: 1),
      target: .classes(indices: [0, 1, 2], labels: ["a", "b", "c"]))
    let evaluation = Evaluation(model, on: data)
    #expect(try evaluation.predictedClasses() == [0, 2, 2])
    #expect(try evaluation.probabilities() == Matrix([[0.75, 0, 0.25], [0.5, 0, 0.5], [0, 0, 1]]))
    #expect(try abs(Metric.accuracy.score(evaluation) - 2.0 / 3) < 1e-15)
  }

  @Test func aTestFileThatLacksAClassIsScoredInTheModelsOrder() throws {
    let model = KnownPredictions(classLabels: ["no", "yes"], classes: [1, 1])
    let data = try Dataset(features: Matrix(rowCount: 2, columnCount: 1), target: .classes(["yes", "yes"]))
    #expect(try Metric.f1.score(model, on: data) == 1)
  }

  @Test func undefinedAreasAreNaN() throws {
    #expect(try ProbabilityScores.rocAUC(isPositive: [true, true], scores: [0.1, 0.2]).isNaN)
    let scores = Matrix<Double>([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    #expect(try ProbabilityScores.rocAUC(truth: [0, 1], scores: scores, ranking: .oneVersusRest).isNaN)
  }

  @Test func probabilitiesThatAreNotNumbersAreRefused() {
    #expect {
      try ProbabilityScores.logLoss(truth: [0, 1], probabilities: Matrix([[0.5, 0.5], [.nan, 1]]))
    } throws: { ($0 as? ApusError)?.kind == .data && "\($0)".contains("row 2") }
  }

  @Test func misspeltNamesAreRefusedWithTheNearestOne() {
    #expect {
      try Metric.named("acuracy")
    } throws: {
      let error = $0 as? ApusError
      return error?.kind == .invalidParameter && error?.hint?.contains("did you mean 'accuracy'?") == true
        && error?.hint?.contains("neg_log_loss") == true
    }
  }

  @Test(arguments: [
    ("logLoss", "neg_log_loss"), ("log_loss", "neg_log_loss"), ("mse", "neg_mean_squared_error"),
    ("rmse", "neg_root_mean_squared_error"), ("mean_absolute_error", "neg_mean_absolute_error"),
    ("balancedAccuracy", "balanced_accuracy"), ("f1Macro", "f1_macro"), ("silhouette", "silhouette_score"),
    ("adjustedRand", "adjusted_rand_score"), ("auc", "roc_auc"), ("R2", "r2"),
  ])
  func otherSpellingsAreAccepted(spelling: String, name: String) throws {
    #expect(try Metric.named(spelling).name == name)
  }

  @Test func metricsForTwoClassesSayWhatToUseInstead() throws {
    let data = try Dataset(features: Matrix(rowCount: 3, columnCount: 1), target: .classes(["a", "b", "c"]))
    #expect {
      try Metric.f1.check(task: .classification, data: data)
    } throws: { "\($0)".contains("3") && "\($0)".contains("f1_macro") }
    #expect {
      try Metric.r2.check(task: .classification, data: data)
    } throws: { "\($0)".contains("accuracy") }
    try Metric.f1Macro.check(task: .classification, data: data)
  }

  @Test func listsOfOtherLengthsAreRefused() {
    #expect {
      try RegressionScores.r2(truth: [1, 2], predicted: [1, 2, 3])
    } throws: { ($0 as? ApusError)?.kind == .shape && "\($0)".contains("3 predictions for 2") }
    #expect {
      try ConfusionMatrix(truth: ["a"], predicted: ["a"], weights: [1, 2])
    } throws: { ($0 as? ApusError)?.kind == .shape }
  }

  @Test func aMetricOfOnesOwnIsFoundByName() throws {
    let metric = Metric("hits", task: .classification, "Number of rows predicted right.") {
      let confusion = try $0.confusion()
      return (0..<confusion.classCount).reduce(0) { $0 + confusion[$1, $1] }
    }
    MetricRegistry.shared.register(metric)
    let model = KnownPredictions(classLabels: ["a", "b"], classes: [0, 1, 1])
    let data = try Dataset(features: Matrix(rowCount: 3, columnCount: 1), target: .classes(["a", "b", "a"]))
    #expect(try Metric.named("hits").score(model, on: data) == 2)
  }
}
