import ApusData
import ApusLinearAlgebra
import ApusML
import ApusTestSupport
import Testing

/// Descents whose steps do not depend on the order of rows, made with scikit-learn by `make_gradient_steps.py`.
@Suite struct GradientStepTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let kind: String
    let weight: Double
    let epochs: Int
    let parameters: [String: ParameterValue]
    let coefficients: [Double]
    let intercept: Double

    var testDescription: String {
      "\(kind) \(weight) "
        + parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    /// One row, or two that mirror each other.
    var data: Dataset {
      get throws {
        let row = [0.8, -1.3, 0.0, 0.05]
        guard kind == "classification" else {
          return try Dataset(features: Matrix([row]), target: .values([2.5]), weights: [weight])
        }
        return try Dataset(
          features: Matrix([row, row.map { -$0 }]), target: .classes(indices: [1, 0], labels: ["a", "b"]),
          weights: [weight, weight])
      }
    }
  }

  static let cases = (try? Golden.load("gradient_steps.json", as: [Case].self)) ?? []

  @Test func goldensAreThere() { #expect(Self.cases.count == 56) }

  @Test(arguments: cases) func stepsAreThoseOfScikitLearn(_ golden: Case) throws {
    let (coefficients, intercept, convergence) =
      if golden.kind == "regression" {
        try {
          let model = try SGDRegressor().setting(golden.parameters).fit(golden.data)
          return (model.coefficients, model.intercept, model.convergence)
        }()
      } else {
        try {
          let model = try SGDClassifier().setting(golden.parameters).fit(golden.data)
          return (model.coefficients.row(0), model.intercepts[0], model.convergence)
        }()
      }
    #expect(relativeDifference(coefficients, golden.coefficients) < 1e-10)
    #expect(abs(intercept - golden.intercept) < 1e-10)
    #expect(coefficients.map { $0 == 0 } == golden.coefficients.map { $0 == 0 })
    guard let tolerance = golden.parameters["tolerance"], tolerance != .null else {
      #expect(convergence == nil)
      return
    }
    let end = try #require(convergence)
    #expect(end.iterations == golden.epochs && end.converged == (golden.epochs < 1000))
  }

  /// The fit ends after five epochs that better the mean loss, of rows by their weights and without the penalty, by less
  /// than the tolerance. With one row an epoch's loss is that of where the epochs before it have led.
  @Test(arguments: [LinearPenalty.l2, .l1, .elasticnet], [0.4, 3]) func theMeanLossDecidesWhenToEnd(
    penalty: LinearPenalty, weight: Double
  ) throws {
    let row = [0.8, -1.3, 0.0, 0.05]
    let data = try Dataset(features: Matrix([row]), target: .values([2.5]), weights: [weight])
    for tolerance in [1e-1, 1e-3, 1e-5] {
      var estimator = SGDRegressor(penalty: penalty, alpha: 0.05, learningRate: .constant, eta0: 0.02)
      estimator.tolerance = tolerance
      let end = try #require(try estimator.fit(data).convergence)
      var (best, stale, epochs, score) = (Double.infinity, 0, 0, 0.0)
      while stale < 5 {
        let loss = weight * (score - 2.5) * (score - 2.5) / 2
        epochs += 1
        stale = loss > best - tolerance ? stale + 1 : 0
        best = min(best, loss)
        (estimator.tolerance, estimator.maxIterations) = (nil, epochs)
        score = try estimator.fit(data).predict(data.features)[0]
      }
      #expect(end.converged && end.iterations == epochs)
    }
  }
}
