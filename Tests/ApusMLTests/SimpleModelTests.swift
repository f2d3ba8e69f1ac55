import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

private struct SimpleGoldens: Decodable {
  struct Neighbours: Decodable {
    var options: [String: ParameterValue]
    var probabilities: [[Double]]
    var predictions: [Double]
  }

  struct Bayes: Decodable {
    var weighted: Bool
    var means: [[Double]]
    var variances: [[Double]]
    var priors: [Double]
    var logLikelihoods: [[Double]]
    var probabilities: [[Double]]
  }

  struct BayesOptions: Decodable {
    struct Options: Decodable {
      var priors: [Double]?
      var smoothing: Double?
      enum CodingKeys: String, CodingKey {
        case priors
        case smoothing = "var_smoothing"
      }
    }
    var weighted: Bool
    var options: Options
    var priors: [Double]
    var variances: [Double]
    var probabilities: [[Double]]
    var logLikelihoods: [[Double]]
  }

  var features: [[Double]]
  var target: [String]
  var weights: [Double]
  var small: [[Double]]
  var values: [Double]
  var neighbours: [Neighbours]
  var bayes: [Bayes]
  var bayesPriors: [[Double]]
  var bayesOptions: [BayesOptions]
  var dummies: [String: Double]
  var dummyClassifiers: [DummyClassifierGolden]

  struct DummyClassifierGolden: Decodable {
    var strategy: String
    var weighted: Bool
    var probabilities: [Double]
    var prediction: String
  }

  func training(weighted: Bool = false) throws -> Dataset {
    try Dataset(
      features: Matrix(Array(features[..<120])), target: .classes(Array(target[..<120])),
      weights: weighted ? weights : nil)
  }

  var test: Matrix<Double> { Matrix(Array(features[120...])) }

  func regression(weighted: Bool = false) throws -> Dataset {
    try Dataset(
      features: Matrix(Array(small[..<80])), target: .values(Array(values[..<80])),
      weights: weighted ? Array(weights[..<80]) : nil)
  }
}

private let goldens = Result { try Golden.load("neighbours_bayes_dummies.json", as: SimpleGoldens.self) }

@Suite struct NeighboursTests {
  @Test(arguments: 0..<3) func equalsScikitLearn(index: Int) throws {
    let goldens = try goldens.get()
    let golden = goldens.neighbours[index]
    let classifier = try KNeighboursClassifier().setting(golden.options).fit(goldens.training())
    let probabilities = try classifier.predictProbabilities(goldens.test)
    #expect(relativeDifference(probabilities.elements, golden.probabilities.flatMap { $0 }) < 1e-12)
    let regressor = try KNeighboursRegressor().setting(golden.options).fit(goldens.regression())
    let predictions = try regressor.predict(Matrix(Array(goldens.small[70...])))
    #expect(relativeDifference(predictions, golden.predictions) < 1e-12)
  }

  @Test func aWeightCountsLikeRepeatedRows() throws {
    let data = try goldens.get().training()
    let weights = (0..<120).map { Double($0 % 3) }
    let repeated = data.gatheringRows((0..<120).flatMap { [Int](repeating: $0, count: $0 % 3) })
    var estimator = KNeighboursClassifier()
    estimator.neighbourCount = 1
    let weighted = try estimator.fit(data.replacingWeights(weights))
    let plain = try estimator.fit(repeated)
    let test = try goldens.get().test
    #expect(try weighted.predictLabels(test) == plain.predictLabels(test))
  }

  @Test func aWeightCountsLikeRepeatedRowsInRegression() throws {
    let data = try goldens.get().regression()
    let counts = (0..<80).map { $0 % 4 }
    let repeated = data.gatheringRows((0..<80).flatMap { [Int](repeating: $0, count: counts[$0]) })
    let weighted = try data.replacingWeights(counts.map(Double.init))
    let test = Matrix(Array(try goldens.get().small[70...]))
    for weighting in NeighbourWeighting.allCases {
      // One neighbour, and all of them; in between, copies of a row would take the places of others.
      for (rows, copies) in [(1, 1), (60, 120)] {
        var estimator = KNeighboursRegressor()
        (estimator.neighbourCount, estimator.weights) = (rows, weighting)
        let own = try estimator.fit(weighted).predict(test)
        estimator.neighbourCount = copies
        let expected = try estimator.fit(repeated).predict(test)
        #expect(relativeDifference(own, expected) < 1e-12, "\(weighting), \(rows)")
        if rows > 1 {
          estimator.neighbourCount = 80
          #expect(try relativeDifference(own, estimator.fit(data).predict(test)) > 1e-3)
        }
      }
    }
  }

  @Test func threadsAndNearTiesChangeNothing() throws {
    // All rows lie far from the origin and close together, where single precision alone cannot tell them.
    var random = Seed(9).randomSource()
    let rows = (0..<3000).map { _ in (0..<3).map { _ in 1e3 + 1e-4 * random.normal() } } + [[-1e6, 0, 0]]
    let target = Target.values((0...3000).map(Double.init))
    let data = try Dataset(features: Matrix(rows), target: target)
    var estimator = KNeighboursRegressor()
    estimator.neighbourCount = 1
    let model = try estimator.fit(data)
    for threads in [1, 2, 4] {
      let own = try model.predict(data.features.rows(0..<300), ComputeContext(threads: threads))
      #expect(own == (0..<300).map(Double.init))
    }
    let copy = try JSONDecoder().decode(
      KNeighboursRegressorModel.self, from: JSONEncoder().encode(model))
    #expect(try copy.predict(Matrix([[-9e5, 0, 0]])) == [3000])
  }

  @Test func badInputIsRefused() throws {
    let few = try Dataset(features: Matrix([[1.0], [2]]), target: .classes(["a", "b"]))
    #expect { try KNeighboursClassifier().fit(few) } throws: { "\($0)".contains("2 training rows for 5") }
    #expect { try KNeighboursRegressor().fit(few) } throws: { ($0 as? ApusError)?.kind == .data }
  }
}

@Suite struct GaussianNaiveBayesTests {
  @Test(arguments: 0..<2) func equalsScikitLearn(index: Int) throws {
    let goldens = try goldens.get()
    let golden = goldens.bayes[index]
    let model = try GaussianNaiveBayes().fit(goldens.training(weighted: golden.weighted))
    #expect(relativeDifference(model.priors, golden.priors) < 1e-13)
    #expect(relativeDifference(model.means.elements, golden.means.flatMap { $0 }) < 1e-13)
    #expect(relativeDifference(model.variances.elements, golden.variances.flatMap { $0 }) < 1e-11)
    let scores = try model.jointLogLikelihoods(goldens.test)
    #expect(relativeDifference(scores.elements, golden.logLikelihoods.flatMap { $0 }) < 1e-10)
    let probabilities = try model.predictProbabilities(goldens.test)
    #expect(relativeDifference(probabilities.elements, golden.probabilities.flatMap { $0 }) < 1e-8)
  }

  @Test func takesPriors() throws {
    let goldens = try goldens.get()
    let estimator = try GaussianNaiveBayes().setting([
      "priors": .object(["0": .real(0.2), "1": .real(0.3), "2": .real(0.5)])
    ])
    let model = try estimator.fit(goldens.training())
    let probabilities = try model.predictProbabilities(goldens.test)
    #expect(relativeDifference(probabilities.elements, goldens.bayesPriors.flatMap { $0 }) < 1e-8)
    var wrong = GaussianNaiveBayes()
    wrong.priors = .explicit(["0": 1])
    #expect { try wrong.fit(goldens.training()) } throws: { "\($0)".contains("priors") }
  }

  @Test(arguments: 0..<8) func optionsEqualScikitLearn(index: Int) throws {
    let goldens = try goldens.get()
    try #require(goldens.bayesOptions.count == 8)
    let golden = goldens.bayesOptions[index]
    var estimator = GaussianNaiveBayes()
    if let smoothing = golden.options.smoothing { estimator.varSmoothing = smoothing }
    if let priors = golden.options.priors {
      estimator.priors = .explicit(["0": priors[0], "1": priors[1], "2": priors[2]])
    }
    let model = try estimator.fit(goldens.training(weighted: golden.weighted))
    let test = goldens.test.rows(0..<8)
    #expect(relativeDifference(model.priors, golden.priors) < 1e-13)
    for (variance, expected) in zip(model.variances.row(1), golden.variances) {
      #expect(abs(variance / expected - 1) < 1e-11)
    }
    let scores = try model.jointLogLikelihoods(test)
    #expect(relativeDifference(scores.elements, golden.logLikelihoods.flatMap { $0 }) < 1e-10)
    let probabilities = try model.predictProbabilities(test)
    #expect(relativeDifference(probabilities.elements, golden.probabilities.flatMap { $0 }) < 1e-8)
  }

  @Test func constantFeaturesDoNoHarm() throws {
    let data = try Dataset(
      features: Matrix([[1.0, 0], [1, 0], [1, 0]]), target: .classes(["a", "b", "b"]))
    let model = try GaussianNaiveBayes().fit(data)
    #expect(try model.predictLabels(data.features) == ["b", "b", "b"])
    #expect(try model.predictProbabilities(data.features).elements.allSatisfy(\.isFinite))
  }
}

@Suite struct DummyTests {
  @Test func regressorsEqualScikitLearn() throws {
    let goldens = try goldens.get()
    for (name, expected) in goldens.dummies {
      let isWeighted = name.hasPrefix("weighted")
      let strategy = isWeighted ? name.dropFirst(8).lowercased() : name
      let estimator = try DummyRegressor().setting([
        "strategy": .string(strategy), "quantile": .real(isWeighted ? 0.8 : 0.3), "constant": .real(42.5),
      ])
      let model = try estimator.fit(goldens.regression(weighted: isWeighted))
      #expect(abs(model.prediction / expected - 1) < 1e-13, "\(name)")
    }
  }

  @Test func classifiersEqualScikitLearn() throws {
    let goldens = try goldens.get()
    #expect(goldens.dummyClassifiers.count == 8 && goldens.dummies.count == 7)
    for golden in goldens.dummyClassifiers {
      let estimator = try DummyClassifier().setting([
        "strategy": .string(golden.strategy), "constant": .string("2"),
      ])
      let model = try estimator.fit(goldens.training(weighted: golden.weighted))
      let probabilities = try model.predictProbabilities(goldens.test).row(5)
      #expect(relativeDifference(probabilities, golden.probabilities) < 1e-14, "\(golden)")
      if golden.strategy != "uniform" {
        #expect(try model.predictLabels(goldens.test).allSatisfy { $0 == golden.prediction }, "\(golden)")
      }
    }
  }

  @Test func aConstantMustBeAClass() throws {
    let data = try goldens.get().training()
    var estimator = DummyClassifier()
    estimator.strategy = .constant
    let missing = #expect(throws: ApusError.self) { try estimator.validate() }
    #expect(missing?.kind == .invalidParameter && missing?.message.contains("needs a label") == true)
    estimator.constant = "7"
    let unknown = #expect(throws: ApusError.self) { try estimator.fit(data) }
    #expect(unknown?.kind == .data && unknown?.message.contains("“7”") == true)
    #expect(unknown?.hint == "the labels are 0, 1, 2")
  }

  @Test func classifiersPredictShares() throws {
    let labels = (0..<1000).map { $0 % 10 < 7 ? "a" : "b" }
    let data = try Dataset(features: Matrix(rowCount: 1000, columnCount: 1), target: .classes(labels))
    var estimator = DummyClassifier()
    var model = try estimator.fit(data)
    #expect(try model.predictProbabilities(data.features).row(3) == [0.7, 0.3])
    #expect(try model.predictLabels(data.features).allSatisfy { $0 == "a" })
    estimator.strategy = .stratified
    model = try estimator.fit(data)
    let drawn = try model.predictClasses(data.features, .sequential)
    #expect(abs(drawn.filter { $0 == 0 }.count - 700) < 60)
    #expect(try model.predictClasses(data.features, ComputeContext(threads: 2)) == drawn)
    estimator.strategy = .uniform
    model = try estimator.fit(data)
    #expect(abs(try model.predictLabels(data.features).filter { $0 == "a" }.count - 500) < 60)
    estimator.strategy = .mostFrequent
    model = try estimator.fit(data)
    #expect(try model.predictProbabilities(data.features).row(0) == [1, 0])
  }
}
