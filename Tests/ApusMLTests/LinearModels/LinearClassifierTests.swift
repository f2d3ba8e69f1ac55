import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

@Suite struct SparseLogisticRegressionTests {
  static let cases = LinearModelCase.load("logistic_regression_l1.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 5) }

  @Test(arguments: cases) func coefficientsAgreeWithScikitLearn(_ golden: LinearModelCase) throws {
    var estimator = try LogisticRegression().setting(golden.parameters)
    estimator.tolerance = 1e-10
    let model = try estimator.fit(golden.data())
    #expect(model.convergence?.converged == true)
    #expect(relativeDifference(model.coefficients.elements, golden.coefficients.flatMap(\.self)) < 1e-6)
    // The mean of several intercepts is free; scikit-learn leaves it where its path ended.
    let mean = golden.intercepts.reduce(0, +) / Double(golden.intercepts.count)
    let intercepts = golden.intercepts.count == 1 ? golden.intercepts : golden.intercepts.map { $0 - mean }
    #expect(relativeDifference(model.intercepts, intercepts) < 1e-6)
    #expect(model.coefficients.elements.contains(0))
  }

  @Test func strongPenaltiesSetEverythingToZero() throws {
    let iris = try Dataset(bundled: "iris")
    let model = try LogisticRegression(c: 1e-6, penalty: .l1).fit(iris)
    #expect(model.coefficients.elements.allSatisfy { $0 == 0 })
    #expect(try model.predictProbabilities(iris.features).row(0).allSatisfy { abs($0 - 1 / 3.0) < 1e-4 })
  }

  @Test func manyClassesAndFeaturesConverge() throws {
    let digits = try Dataset(bundled: "digits")
    let rows = digits.gatheringRows(Array(stride(from: 0, to: digits.rowCount, by: 6)))
    let model = try LogisticRegression(c: 0.02, penalty: .l1).fit(rows)
    #expect(try #require(model.convergence).converged)
    #expect(model.coefficients.elements.filter { $0 == 0 }.count > 300)
    // Beyond the whole Hessian: three classes of 300 features.
    let base = try Dataset.linear(60, 300)
    let wide = try Dataset(features: base.features, target: .classes((0..<60).map { "\($0 % 3)" }))
    let wideModel = try LogisticRegression(c: 0.2, penalty: .l1).fit(wide)
    #expect(try #require(wideModel.convergence).converged)
  }
}

@Suite struct LinearSVCTests {
  static let cases = LinearModelCase.load("linear_svc.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 6) }

  @Test(arguments: cases) func coefficientsAgreeWithScikitLearn(_ golden: LinearModelCase) throws {
    var estimator = try LinearSVC().setting(golden.parameters)
    estimator.tolerance = 1e-11
    let model = try estimator.fit(golden.data())
    #expect(model.convergence?.converged == true)
    #expect(relativeDifference(model.coefficients.elements, golden.coefficients.flatMap(\.self)) < 1e-6)
    #expect(relativeDifference(model.intercepts, golden.intercepts) < 1e-6)
  }

  @Test func gradientIsZeroAtTheSolution() throws {
    let data = try Dataset(bundled: "letter")
    let rows = data.gatheringRows(Array(0..<2000))
    let model = try LinearSVC(c: 0.1).fit(rows)
    guard case .classes(let classes, _) = rows.target else { return }
    let scores = try model.scores(rows.features)
    for score in 0..<26 {
      let slopes = (0..<2000).map { row in
        let sign = classes[row] == score ? 1.0 : -1
        return -2 * sign * max(0, 1 - sign * scores[row, score]) / 2000
      }
      let gradient = try rows.features.transposedMultiplied(by: slopes)
      for feature in 0..<16 {
        #expect(abs(gradient[feature] + model.coefficients[score, feature] / 200) < 2e-6)
      }
      #expect(abs(slopes.reduce(0, +) + model.intercepts[score] / 200) < 2e-6)
    }
  }

  @Test func bitsAreTheSameAtEveryThreadCount() throws {
    for name in ["breast-cancer", "wine"] {
      let data = try Dataset(bundled: name)
      let models = try [1, 2, 4].map {
        try LinearSVC(c: 1e-3).fit(data, FitContext(compute: ComputeContext(threads: $0)))
      }
      #expect(models[1] == models[0])
      #expect(models[2] == models[0])
    }
  }

  @Test func moreFeaturesThanTheHessianTakesConverge() throws {
    let base = try Dataset.linear(40, 600)
    let data = try Dataset(
      features: base.features, target: .classes((0..<40).map { $0 % 3 == 0 ? "a" : "b" }))
    let model = try LinearSVC(c: 0.01).fit(data)
    #expect(try #require(model.convergence).converged)
    #expect(try model.predictLabels(data.features) == (0..<40).map { $0 % 3 == 0 ? "a" : "b" })
  }
}

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
    guard case .classes(let classes, _) = data.target else { return }
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
    guard case .classes(let truth, _) = data.target else { return }
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
