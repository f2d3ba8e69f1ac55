import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

@Suite struct SparseLogisticRegressionTests {
  static let cases = LinearModelCase.load("logistic_regression_l1.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 11) }

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

  /// As in scikit-learn, the ratio alone says which penalty it is, and an infinite C that there is none.
  @Test func theRatioAloneSaysWhichPenaltyItIs() throws {
    let iris = try Dataset(bundled: "iris")
    func coefficients(_ settings: [String: ParameterValue]) throws -> [Double] {
      try LogisticRegression().setting(settings).fit(iris).coefficients.elements
    }
    #expect(
      try coefficients(["l1_ratio": .real(0.3), "C": .real(0.1)])
        == coefficients(["penalty": .string("elasticnet"), "l1Ratio": .real(0.3), "c": .real(0.1)]))
    #expect(
      try coefficients(["l1_ratio": .integer(1), "c": .real(0.1)])
        == coefficients(["penalty": .string("l1"), "c": .real(0.1)]))
    #expect(
      try coefficients(["l1_ratio": .integer(0)])
        == coefficients(["penalty": .string("l2"), "l1Ratio": .null]))
    for infinity in [ParameterValue.real(.infinity), .string("inf")] {
      let free = try coefficients(["C": infinity, "max_iter": .integer(50)])
      #expect(try free == coefficients(["penalty": .string("none"), "max_iter": .integer(50)]))
    }
    for c in [ParameterValue.real(-.infinity), .real(.nan), .string("nan"), .string("many")] {
      #expect { try LogisticRegression().setting(["C": c]) } throws: {
        ($0 as? ApusError)?.kind == .invalidParameter
      }
    }
    #expect { try LogisticRegression().setting(["tol": .string("inf")]) } throws: {
      ($0 as? ApusError)?.kind == .invalidParameter
    }
    #expect(AnyEstimator(LogisticRegression(c: .infinity)).parameters["c"] == .real(.infinity))
  }

  /// At the minimum the gradient of the mean loss is cancelled by the penalty's: by that of a coefficient's sign,
  /// or by something no larger where the coefficient is zero.
  @Test(arguments: ["breast-cancer", "wine"], [1.0, 0.4]) func penaltiesCancelTheGradient(
    name: String, share: Double
  ) throws {
    var data = try Dataset(bundled: name)
    let scaler = try StandardScaler().fit(data)
    data = data.replacingFeatures(try scaler.transform(data.features, .sequential), columns: data.columns)
    data = try data.replacingWeights((0..<data.rowCount).map { 0.5 + Double($0 % 4) })
    let (classes, weights) = (try data.targetClasses(), try #require(data.weights))
    let (c, total) = (0.05, weights.reduce(0, +))
    let model = try LogisticRegression(
      c: c, penalty: .elasticnet, l1Ratio: share, tolerance: 1e-9, maxIterations: 1000
    ).fit(data)
    let probabilities = try model.predictProbabilities(data.features)
    let strength = 1 / (c * total)
    var zeros = 0
    for score in 0..<model.intercepts.count {
      let label = model.intercepts.count == 1 ? 1 : score
      let slopes = (0..<data.rowCount).map { row in
        weights[row] * (probabilities[row, label] - (Int(classes[row]) == label ? 1 : 0)) / total
      }
      #expect(abs(slopes.reduce(0, +)) < 1e-8)
      for (feature, slope) in try data.features.transposedMultiplied(by: slopes).enumerated() {
        let w = model.coefficients[score, feature]
        let smooth = slope + (1 - share) * strength * w
        if w == 0 {
          zeros += 1
          #expect(abs(smooth) <= share * strength + 1e-8)
        } else {
          #expect(abs(smooth + (w > 0 ? 1 : -1) * share * strength) < 1e-8)
        }
      }
    }
    #expect(zeros > 3)
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

  @Test func goldensAreThere() { #expect(Self.cases.count == 10) }

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
    let classes = try rows.targetClasses()
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
