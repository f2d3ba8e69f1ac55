import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

@Suite struct StochasticGradientTests {
  private func standardized(_ name: String) throws -> Dataset {
    let data = try Dataset(bundled: name)
    let columns = (0..<data.featureCount).map { column -> [Double] in
      let values = data.features.column(column)
      let mean = values.reduce(0, +) / Double(values.count)
      let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
      return values.map { ($0 - mean) / (spread > 0 ? spread : 1) }
    }
    return data.replacingFeatures(Matrix(columns).transposed(), columns: data.columns)
  }

  @Test func logisticLossComesNearItsMinimum() throws {
    let data = try standardized("breast-cancer")
    let alpha = 0.01
    let exact = try LogisticRegression(c: 1 / (alpha * 569), tolerance: 1e-8).fit(data)
    let model = try SGDClassifier(
      loss: .logLoss, alpha: alpha, averages: true, tolerance: nil, maxIterations: 200
    ).fit(data)
    let classes = try data.targetClasses()
    func value(_ coefficients: Matrix<Double>, _ intercept: Double) throws -> Double {
      let scores = try data.features.multiplied(by: coefficients.row(0))
      let loss = zip(scores, classes).reduce(0.0) { sum, pair in
        sum + log1p(exp(pair.1 == 1 ? -(pair.0 + intercept) : pair.0 + intercept))
      }
      return loss / 569 + alpha / 2 * coefficients.elements.reduce(0) { $0 + $1 * $1 }
    }
    let best = try value(exact.coefficients, exact.intercepts[0])
    #expect(try value(model.coefficients, model.intercepts[0]) < 1.01 * best)
  }

  @Test func regressionComesNearItsMinimum() throws {
    let data = try Dataset.linear(2000, 6, noise: 0.5)
    let model = try SGDRegressor(averages: true).fit(data)
    let exact = try LinearRegression().fit(data)
    #expect(relativeDifference(model.coefficients, exact.coefficients) < 0.1)
    #expect(abs(model.intercept - exact.intercept) < 0.3)
    let robust = try SGDRegressor(loss: .huber, alpha: 1e-6, eta0: 0.5).fit(data)
    #expect(relativeDifference(robust.coefficients, exact.coefficients) < 0.1)
  }

  @Test func everyLossClassifies() throws {
    let data = try standardized("wine")
    let truth = try data.targetClasses()
    for loss in SGDClassifierLoss.allCases {
      let model = try SGDClassifier(loss: loss, learningRate: .invscaling).fit(data)
      let predicted = try model.predictClasses(data.features, .sequential)
      #expect(zip(predicted, truth).filter { $0 == $1 }.count > 165, "\(loss)")
    }
  }

  @Test func theL1PenaltySetsCoefficientsToZero() throws {
    let data = try standardized("breast-cancer")
    let model = try SGDClassifier(loss: .logLoss, penalty: .l1, alpha: 0.05).fit(data)
    #expect(model.coefficients.elements.filter { $0 == 0 }.count >= 10)
  }

  /// The objective `Σ sᵢ·loss / n + α·penalty` of coefficients: of a class against the rest, where there are classes.
  private func objective(
    _ golden: LinearModelCase, _ data: Dataset, _ coefficients: [Double], _ intercept: Double,
    positive: Int32
  ) throws -> Double {
    let n = Double(data.rowCount)
    let scores = try data.features.multiplied(by: coefficients).map { $0 + intercept }
    var weights = data.weights ?? [Double](repeating: 1, count: data.rowCount)
    let loss = golden.parameters["loss"]
    let losses: [Double]
    switch data.target {
    case .classes(let classes, let labels):
      let classWeight = try #require(
        ClassWeight(parameterValue: golden.parameters["classWeight"] ?? .null))
      let perClass = classWeight.weights(
        labels: labels, counts: labels.indices.map { label in classes.filter { Int($0) == label }.count })
      // Of several classes the weight of the one that is told from the rest counts.
      for row in classes.indices where labels.count == 2 || classes[row] == positive {
        weights[row] *= perClass[Int(classes[row])]
      }
      losses = zip(scores, classes).map { score, label in
        let margin = label == positive ? score : -score
        let missing = max(0, 1 - margin)
        switch loss {
        case .string("logLoss"): return log1p(exp(-margin))
        case .string("squaredHinge"): return missing * missing
        default: return missing
        }
      }
    case .values(let values):
      losses = zip(scores, values).map { score, value in
        let error = abs(score - value)
        return loss == .string("huber") && error > 0.1 ? 0.1 * error - 0.005 : error * error / 2
      }
    case .none: losses = []
    }
    let penalty = golden.parameters["penalty"] ?? .string("l2")
    let share =
      penalty == .string("l1")
      ? 1 : penalty == .string("elasticnet") ? golden.parameters["l1Ratio"]!.number! : 0
    let size = coefficients.reduce(0) { $0 + share * abs($1) + (1 - share) / 2 * $1 * $1 }
    return zip(weights, losses).reduce(0) { $0 + $1.0 * $1.1 } / n
      + (penalty == .string("none") ? 0 : golden.parameters["alpha"]!.number! * size)
  }

  static let cases = LinearModelCase.load("stochastic_gradient.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 22) }

  /// Minima are scikit-learn's, or SciPy's where scikit-learn has no exact solver for the loss.
  @Test(arguments: cases, [1, 4]) func objectiveIsAsLowAsAnExactSolvers(
    _ golden: LinearModelCase, batchSize: Int
  ) throws {
    let data = try golden.data()
    var parameters = golden.parameters
    parameters["batchSize"] = .integer(batchSize)
    let fits: [(coefficients: [Double], intercept: Double)]
    if case .values = data.target {
      let model = try SGDRegressor().setting(parameters).fit(data)
      fits = [(model.coefficients, model.intercept)]
    } else {
      let model = try SGDClassifier().setting(parameters).fit(data)
      fits = zip(model.coefficients.rowArrays, model.intercepts).map { ($0, $1) }
    }
    #expect(fits.count == golden.coefficients.count)
    for (index, fit) in fits.enumerated() {
      let positive = Int32(fits.count == 1 ? 1 : index)
      let own = try objective(golden, data, fit.coefficients, fit.intercept, positive: positive)
      let expected = try objective(
        golden, data, golden.coefficients[index], golden.intercepts[index], positive: positive)
      #expect(own < 1.01 * expected, "\(own) against \(expected)")
      // Where scikit-learn's coefficients are those of its own descent, ours may be a little better.
      #expect(own > 0.99 * expected, "\(own) against \(expected)")
    }
  }

  @Test func stepsOfAllRowsAreGradientDescent() throws {
    let weights = (0..<1500).map { 0.5 + Double($0 % 3) }
    let data = try Dataset.linear(1500, 3, noise: 0.5, weights: weights)
    let y = try data.targetValues()
    let (alpha, rate, steps) = (0.01, 0.1, 40)
    var (w, intercept) = ([0.0, 0, 0], 0.0)
    for _ in 0..<steps {
      let errors = try zip(data.features.multiplied(by: w), y).map { $0 + intercept - $1 }
      let slopes = zip(errors, weights).map { $0 * $1 / 1500 }
      let gradient = try data.features.transposedMultiplied(by: slopes)
      for index in 0..<3 { w[index] = (1 - rate * alpha) * w[index] - rate * gradient[index] }
      intercept -= rate * slopes.reduce(0, +)
    }
    for batchSize in [1500, .max] {
      let model = try SGDRegressor(
        alpha: alpha, learningRate: .constant, eta0: rate, batchSize: batchSize, tolerance: nil,
        maxIterations: steps
      ).fit(data)
      #expect(relativeDifference(model.coefficients, w) < 1e-10)
      #expect(abs(model.intercept - intercept) < 1e-10)
    }
  }

  @Test func batchesThatDoNotDivideTheRowsLearnToo() throws {
    let data = try standardized("wine")
    let truth = try data.targetClasses()
    for batchSize in [7, 100, 177] {
      let model = try SGDClassifier(loss: .logLoss, batchSize: batchSize, tolerance: nil, maxIterations: 100)
        .fit(data)
      let predicted = try model.predictClasses(data.features, .sequential)
      #expect(zip(predicted, truth).filter { $0 == $1 }.count > 165, "\(batchSize)")
    }
    #expect(try SGDClassifier(batchSize: 1).fit(data) == SGDClassifier().fit(data))
    #expect(try SGDClassifier(batchSize: 2).fit(data) != SGDClassifier().fit(data))
  }

  @Test func rowsOfAMappedFileAreLearntFromWhereTheyLie() throws {
    let data = try Dataset.linear(3000, 6, noise: 0.5)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("apus-\(UUID().uuidString).npy")
    defer { try? FileManager.default.removeItem(at: file) }
    let description = "{'descr': '<f8', 'fortran_order': False, 'shape': (3000, 6), }"
    let header = description.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
    var bytes = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8))
    data.features.withUnsafeElements { bytes += Data(buffer: $0) }
    try bytes.write(to: file)
    let mapped = try Dataset(features: Dataset(npy: file.path).features, target: data.target)
    #expect(mapped.features == data.features)
    for batchSize in [1, 16] {
      let estimator = SGDRegressor(batchSize: batchSize, averages: true)
      #expect(try estimator.fit(mapped) == estimator.fit(data))
    }
  }

  @Test func withoutAToleranceNothingIsSaidOfConvergence() throws {
    let data = try standardized("wine")
    #expect(try SGDClassifier(tolerance: nil, maxIterations: 3).fit(data).convergence == nil)
    let stopped = try #require(try SGDClassifier(tolerance: 0, maxIterations: 2).fit(data).convergence)
    #expect(!stopped.converged && stopped.iterations == 2)
    let numbers = try Dataset.linear(50, 2)
    #expect(try SGDRegressor(tolerance: nil, maxIterations: 3).fit(numbers).convergence == nil)
    #expect(try #require(try SGDRegressor().fit(numbers).convergence).converged)
  }

  @Test func seedsDecideAndThreadsDoNot() throws {
    let data = try standardized("wine")
    let models = try [1, 2, 4].map {
      try SGDClassifier().fit(data, FitContext(compute: ComputeContext(threads: $0)))
    }
    #expect(models[1] == models[0])
    #expect(models[2] == models[0])
    #expect(try SGDClassifier().fit(data, FitContext(seed: Seed(1))) != models[0])
  }

  @Test func stepsWithoutBoundAreAnError() throws {
    let data = try Dataset.linear(100, 3)
    let huge = Matrix(data.features.rowArrays.map { $0.map { $0 * 1e200 } })
    #expect {
      try SGDRegressor().fit(data.replacingFeatures(huge, columns: data.columns))
    } throws: { ($0 as? ApusError)?.kind == .numerical && "\($0)".contains("standard-scaler") }
  }
}
