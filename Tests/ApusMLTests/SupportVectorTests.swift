import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

private struct SupportVectorGoldens: Decodable {
  struct Classifier: Decodable {
    var features: [[Double]]
    var target: [String]
    var weights: [Double]?
    var options: [String: ParameterValue]
    var gamma: Double
    var values: [[Double]]
    var predictions: [String]
    var supportCount: Int
    var dualSum: Double

    var data: Dataset {
      get throws { try Dataset(features: Matrix(features), target: .classes(target), weights: weights) }
    }
  }

  struct Regressor: Decodable {
    var features: [[Double]]
    var target: [Double]
    var weights: [Double]?
    var options: [String: ParameterValue]
    var gamma: Double
    var predictions: [Double]
    var supportCount: Int
    var dualSum: Double

    var data: Dataset {
      get throws { try Dataset(features: Matrix(features), target: .values(target), weights: weights) }
    }
  }

  var classifiers: [Classifier]
  var logLosses: [Double]
  var weightedLogLosses: [Double]
  var regressors: [Regressor]
}

private let goldens = Result { try Golden.load("support_vectors.json", as: SupportVectorGoldens.self) }

@Suite struct SVCTests {
  @Test(arguments: 0..<8) func equalsScikitLearn(index: Int) throws {
    let golden = try goldens.get().classifiers[index]
    var estimator = try SVC().setting(golden.options)
    estimator.tolerance = 1e-5
    let model = try estimator.fit(golden.data)
    #expect(abs(model.gamma / golden.gamma - 1) < 1e-12)
    let values = try model.decisionValues(golden.data.features)
    #expect(relativeDifference(values.elements, golden.values.flatMap { $0 }) < 2e-4)
    #expect(try model.predictLabels(golden.data.features) == golden.predictions)
    #expect(abs(model.supportRows.count - golden.supportCount) <= 2)
    let dualSum = model.coefficients.elements.reduce(0) { $0 + abs($1) }
    #expect(abs(dualSum / golden.dualSum - 1) < 2e-3)
    #expect(model.convergence?.converged == true)
    #expect(model.convergence!.residual < 1e-5)
  }

  @Test func satisfiesTheOptimalityConditions() throws {
    let golden = try goldens.get().classifiers[2]
    let data = try golden.data
    var estimator = SVC()
    estimator.c = 3
    let model = try estimator.fit(data)
    var alphas = [Int: Double]()
    for (position, row) in model.supportRows.enumerated() {
      alphas[row] = abs(model.coefficients[position, 0])
    }
    // The decision values by the definition, in Double.
    var sum = 0.0
    for i in 0..<data.rowCount {
      let x = data.features.row(i)
      var value = model.biases[0]
      for (position, row) in model.supportRows.enumerated() {
        let square = zip(x, data.features.row(row)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        value += model.coefficients[position, 0] * exp(-model.gamma * square)
      }
      let margin = value * (golden.target[i] == golden.target[0] ? 1 : -1)
      let alpha = alphas[i] ?? 0
      if alpha == 0 {
        #expect(margin > 1 - 2e-3)
      } else if alpha == 3 {
        #expect(margin < 1 + 2e-3)
      } else {
        #expect(abs(margin - 1) < 2e-3)
      }
      sum += alpha * (golden.target[i] == golden.target[0] ? 1 : -1)
    }
    #expect(abs(sum) < 1e-9)
  }

  @Test func threadsAndCacheChangeNoBit() throws {
    let golden = try goldens.get().classifiers[5]
    func fit(_ threads: Int, cache: Double) throws -> SVCModel {
      var estimator = try SVC().setting(golden.options)
      estimator.cacheSize = cache
      return try estimator.fit(golden.data, FitContext(compute: ComputeContext(threads: threads)))
    }
    let reference = try fit(1, cache: 200)
    let features = try golden.data.features
    let values = try reference.decisionValues(features, .sequential)
    for model in [try fit(2, cache: 200), try fit(4, cache: 1e-9)] {
      #expect(model.coefficients == reference.coefficients)
      #expect(model.biases == reference.biases)
      #expect(try model.decisionValues(features, ComputeContext(threads: 4)) == values)
    }
    let copy = try JSONDecoder().decode(SVCModel.self, from: JSONEncoder().encode(reference))
    #expect(try copy.decisionValues(features) == values)
  }

  @Test func threadsChangeNoBitOfProbabilities() throws {
    let data = try goldens.get().classifiers[2].data
    var estimator = SVC()
    estimator.probability = true
    let models = try [1, 2, 4].map {
      try estimator.fit(data, FitContext(seed: Seed(2), compute: ComputeContext(threads: $0)))
    }
    let probabilities = try models.map { try $0.predictProbabilities(data.features) }
    #expect(probabilities[0] == probabilities[1] && probabilities[1] == probabilities[2])
    #expect(models[0].convergence == models[2].convergence)
    #expect(probabilities[0].elements.contains { $0 > 0.9 })
  }

  @Test func fitsOfTheCalibrationCountForConvergence() throws {
    let data = try goldens.get().classifiers[2].data
    var estimator = SVC()
    let plain = try #require(try estimator.fit(data).convergence)
    estimator.probability = true
    let all = try #require(try estimator.fit(data).convergence)
    // Five fits of four fifths of the rows, beside that of all.
    #expect(all.iterations > 3 * plain.iterations)
    #expect(all.converged && all.residual >= plain.residual)
    estimator.maxIterations = plain.iterations
    #expect(try #require(try estimator.fit(data).convergence).residual >= plain.residual)
    estimator.maxIterations = 1
    #expect(try #require(try estimator.fit(data).convergence).converged == false)
  }

  @Test func degenerateDataGivesFiniteAnswers() throws {
    let constant = try Dataset(features: Matrix([[1.0], [1], [1]]), target: .classes(["a", "b", "b"]))
    #expect(try SVC().fit(constant).predictLabels(constant.features) == ["b", "b", "b"])
    let pair = try Dataset(features: Matrix([[0.0, 1], [1, 0]]), target: .classes(["a", "b"]))
    #expect(try SVC().fit(pair).predictLabels(pair.features) == ["a", "b"])
    var huge = SVC()
    let far = try Dataset(features: Matrix([[-1e150], [2e150], [1e150]]), target: .classes(["a", "b", "b"]))
    #expect(try huge.fit(far).predictLabels(far.features) == ["a", "b", "b"])
    huge.kernel = .linear
    #expect { try huge.fit(far) } throws: { ($0 as? ApusError)?.kind == .numerical }
  }

  @Test func probabilitiesAreAsGoodAsScikitLearns() throws {
    let goldens = try goldens.get()
    let data = try goldens.classifiers[4].data
    var estimator = SVC()
    #expect { try estimator.fit(data).predictProbabilities(data.features) } throws: {
      ($0 as? ApusError)?.kind == .unsupported
    }
    estimator.probability = true
    let model = try estimator.fit(data, FitContext(seed: Seed(1), compute: .sequential))
    let probabilities = try model.predictProbabilities(data.features)
    let rows = try goldens.classifiers[4].target.map { try #require(model.classLabels.firstIndex(of: $0)) }
    let logLoss = rows.indices.reduce(0) { $0 - log(probabilities[$1, rows[$1]]) } / Double(rows.count)
    #expect(logLoss < goldens.logLosses.max()! * 1.2 && logLoss > goldens.logLosses.min()! * 0.8)
    for row in rows.indices { #expect(abs(probabilities.row(row).reduce(0, +) - 1) < 1e-12) }
    let again = try estimator.fit(data, FitContext(seed: Seed(1), compute: ComputeContext(threads: 4)))
    #expect(try again.predictProbabilities(data.features) == probabilities)
    // Two classes need no coupling.
    let two = try goldens.classifiers[2].data
    let binary = try estimator.fit(two)
    let shares = try binary.predictProbabilities(two.features)
    let values = try binary.decisionValues(two.features)
    let order = (0..<two.rowCount).sorted { values[$0, 0] < values[$1, 0] }
    #expect(zip(order, order.dropFirst()).allSatisfy { shares[$0, 0] <= shares[$1, 0] })
  }

  /// Rows of the first class weigh much more than the others, so that a fit without weights does better by the mean over
  /// all rows.
  @Test func probabilitiesOfWeightedRowsAreAsGoodAsScikitLearns() throws {
    let goldens = try goldens.get()
    let golden = goldens.classifiers[4]
    let data = try golden.data.replacingWeights(golden.target.map { $0 == "0" ? 5 : 0.02 })
    var estimator = SVC()
    (estimator.c, estimator.probability) = (0.3, true)
    func logLoss(_ data: Dataset, seed: UInt64) throws -> Double {
      let model = try estimator.fit(data, FitContext(seed: Seed(seed), compute: .sequential))
      let probabilities = try model.predictProbabilities(data.features)
      let classes = try golden.target.map { try #require(model.classLabels.firstIndex(of: $0)) }
      return classes.indices.reduce(0) { $0 - log(probabilities[$1, classes[$1]]) } / Double(classes.count)
    }
    let expected = goldens.weightedLogLosses
    let (low, high) = (expected.min()!, expected.max()!)
    let losses = try (0..<6).map { try logLoss(data, seed: $0) }
    for loss in losses { #expect(loss < high + (high - low) && loss > low - (high - low), "\(loss)") }
    #expect(try logLoss(golden.data, seed: 0) < low - (high - low))
  }

  @Test func anEndBeforeConvergenceIsTold() throws {
    var estimator = SVC()
    estimator.maxIterations = 3
    let convergence = try estimator.fit(goldens.get().classifiers[0].data).convergence
    #expect(convergence?.converged == false)
    #expect(convergence?.iterations == 9)
    #expect(convergence!.residual > 1e-3)
  }

  @Test func badInputIsRefused() throws {
    let one = try Dataset(features: Matrix([[1.0], [2]]), target: .classes(["a", "a"]))
    #expect { try SVC().fit(one) } throws: { ($0 as? ApusError)?.kind == .data }
    #expect { try SVC().setting(["C": .integer(0)]) } throws: {
      ($0 as? ApusError)?.kind == .invalidParameter
    }
    #expect { try SVC().setting(["kernel": .string("cubic")]) } throws: { "\($0)".contains("polynomial") }
    #expect(try SVC().setting(["kernel": .string("poly")]).kernel == .polynomial)
    #expect(try SVC().setting(["gamma": .string("auto")]).gamma == .auto)
  }
}

@Suite struct SVCRankingTests {
  /// Two columns of the breast cancer data, every other row to fit on, the others to rank.
  ///
  /// scikit-learn 1.9.1: `SVC(C=1, gamma=0.1, tol=1e-6).fit(X[::2, :2], y[::2])`, then `roc_auc_score` of
  /// `decision_function(X[1::2, :2])`.
  @Test func theAreaUnderTheCurveNeedsNoProbabilities() throws {
    let data = try Dataset(bundled: "breast-cancer")
    let (first, second) = (data.features.column(0), data.features.column(1))
    let narrow = data.replacingFeatures(
      Matrix(zip(first, second).map { [$0, $1] }), columns: Array(data.columns.prefix(2)))
    let training = narrow.gatheringRows(stride(from: 0, to: data.rowCount, by: 2).map { $0 })
    let test = narrow.gatheringRows(stride(from: 1, to: data.rowCount, by: 2).map { $0 })
    var estimator = SVC()
    (estimator.c, estimator.gamma, estimator.tolerance) = (1, .value(0.1), 1e-6)
    let model = try estimator.fit(training)
    #expect(abs(try Metric.rocAUC.score(model, on: test) - 0.8786833855799373) < 1e-12)
    #expect { try Metric.negLogLoss.score(model, on: test) } throws: { "\($0)".contains("no probabilities") }
    estimator.probability = true
    #expect(try Metric.negLogLoss.score(estimator.fit(training), on: test) > -0.6)
  }
}

@Suite struct SVRTests {
  @Test(arguments: 0..<5) func equalsScikitLearn(index: Int) throws {
    let golden = try goldens.get().regressors[index]
    var estimator = try SVR().setting(golden.options)
    estimator.tolerance = 1e-5
    let model = try estimator.fit(golden.data)
    #expect(abs(model.gamma / golden.gamma - 1) < 1e-12)
    #expect(relativeDifference(try model.predict(golden.data.features), golden.predictions) < 2e-4)
    #expect(abs(model.supportRows.count - golden.supportCount) <= 3)
    #expect(abs(model.coefficients.reduce(0) { $0 + abs($1) } / golden.dualSum - 1) < 5e-3)
    #expect(model.convergence?.converged == true)
  }

  @Test func aFlatTargetNeedsNoSupportVectors() throws {
    let data = try Dataset(features: Matrix([[1.0], [2], [3]]), target: .values([4, 4.05, 4]))
    let model = try SVR().fit(data)
    #expect(model.supportRows.isEmpty)
    #expect(abs(try model.predict(Matrix([[9.0]]))[0] - 4.025) < 1e-12)
  }
}
