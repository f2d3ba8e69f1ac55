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
}
