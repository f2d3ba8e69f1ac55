import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

@Suite struct ElasticNetTests {
  static let cases = LinearModelCase.load("elastic_net.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 10) }

  @Test(arguments: cases) func coefficientsAgreeWithScikitLearn(_ golden: LinearModelCase) throws {
    var estimator = try ElasticNet().setting(golden.parameters)
    estimator.tolerance = 1e-14
    estimator.maxIterations = 1_000_000
    let data = try golden.data()
    let model = try estimator.fit(data)
    #expect(relativeDifference(model.coefficients, golden.coefficients[0]) < 1e-6)
    #expect(relativeDifference([model.intercept], golden.intercepts, floor: 1) < 1e-6)
    #expect(model.coefficients.map { $0 == 0 } == golden.coefficients[0].map { $0 == 0 })
    if estimator.l1Ratio == 1 {
      var lasso = Lasso(alpha: estimator.alpha, positive: estimator.positive, tolerance: 1e-14)
      lasso.fitIntercept = estimator.fitIntercept
      lasso.maxIterations = 1_000_000
      #expect(try lasso.fit(data) == model)
    }
  }

  /// The largest violation of the optimality conditions, in units of α: where a coefficient is not zero, the slope of the
  /// error cancels the penalty's; where it is, the slope is no steeper than the penalty's L1 part, on the side that a
  /// coefficient may go to.
  private func violation(
    _ model: LinearRegressionModel, _ data: Dataset, _ estimator: ElasticNet
  ) throws -> Double {
    let y = try data.targetValues()
    let weights = data.weights ?? [Double](repeating: 1, count: y.count)
    let total = weights.reduce(0, +)
    let predicted = try model.predict(data.features)
    let residuals = y.indices.map { weights[$0] * (y[$0] - predicted[$0]) / total }
    let slopes = try data.features.transposedMultiplied(by: residuals)
    let (l1, l2) = (estimator.alpha * estimator.l1Ratio, estimator.alpha * (1 - estimator.l1Ratio))
    return zip(slopes, model.coefficients).reduce(abs(residuals.reduce(0, +)) / estimator.alpha) {
      largest, pair in
      let (slope, value) = (pair.0 - l2 * pair.1, pair.1)
      let excess =
        if value != 0 {
          estimator.positive && value < 0 ? .infinity : abs(slope - (value > 0 ? l1 : -l1))
        } else {
          max(0, (estimator.positive ? slope : abs(slope)) - l1)
        }
      return max(largest, excess / estimator.alpha)
    }
  }

  @Test(arguments: [(200, 15), (20, 100), (3000, 40)], [false, true]) func optimalityConditionsHold(
    shape: (n: Int, p: Int), isWeighted: Bool
  ) throws {
    var data = try Dataset.linear(shape.n, shape.p, noise: 1)
    if isWeighted { data = try data.replacingWeights((0..<shape.n).map { 0.25 + Double($0 % 5) }) }
    for (l1Ratio, positive) in [(1.0, false), (1, true), (0.4, false), (0.4, true)] {
      for alpha in [0.01, 0.3, 2] {
        let estimator = ElasticNet(
          alpha: alpha, l1Ratio: l1Ratio, positive: positive, tolerance: 1e-13, maxIterations: 1_000_000)
        let model = try estimator.fit(data)
        #expect(try #require(model.convergence).converged)
        #expect(
          try violation(model, data, estimator) < 1e-4, "α \(alpha), L1 \(l1Ratio), positive \(positive)")
      }
    }
  }

  @Test func theGapBoundsTheDistanceToTheMinimum() throws {
    let data = try Dataset.linear(100, 20, noise: 2)
    let y = try data.targetValues()
    let mean = y.reduce(0, +) / 100
    let variation = y.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100
    func value(_ model: LinearRegressionModel, _ alpha: Double) throws -> Double {
      let errors = try zip(y, model.predict(data.features)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return errors / 200 + alpha * model.coefficients.reduce(0) { $0 + abs($1) }
    }
    let exact = try value(Lasso(alpha: 0.1, tolerance: 1e-14, maxIterations: 100_000).fit(data), 0.1)
    for passes in [1, 2, 4] {
      let model = try Lasso(alpha: 0.1, tolerance: 1e-14, maxIterations: passes).fit(data)
      let convergence = try #require(model.convergence)
      #expect(!convergence.converged && convergence.iterations == passes)
      #expect(try value(model, 0.1) - exact <= convergence.residual * variation * (1 + 1e-9))
    }
  }

  @Test func aPathEqualsItsSingleFits() throws {
    for (n, p) in [(100, 8), (20, 50)] {
      let data = try Dataset.linear(n, p, noise: 1)
      let estimator = Lasso(tolerance: 1e-12, maxIterations: 100_000)
      let path = try estimator.path(data)
      #expect(path.count == 100)
      #expect(abs(path[99].alpha / path[0].alpha - 1e-3) < 1e-12)
      #expect(path[0].model.coefficients.allSatisfy { $0 == 0 })
      #expect(path[1].model.coefficients.contains { $0 != 0 })
      for step in path.enumerated() where step.offset % 20 == 19 {
        var single = estimator
        single.alpha = step.element.alpha
        let coefficients = try single.fit(data).coefficients
        #expect(relativeDifference(step.element.model.coefficients, coefficients) < 1e-4)
      }
    }
  }

  /// Without a share of L1 the minimum is that of a ridge regression, without a penalty that of least squares.
  @Test(arguments: [(60, 7), (12, 30)]) func withoutL1ItIsARidgeRegression(rows: Int, columns: Int) throws {
    var data = try Dataset.linear(rows, columns, noise: 1)
    data = try data.replacingWeights((0..<rows).map { 0.5 + Double($0 % 3) })
    let total = try #require(data.weights).reduce(0, +)
    for positive in [false, true] {
      let net = try ElasticNet(alpha: 0.3, l1Ratio: 0, positive: positive).fit(data)
      let ridge = try Ridge(alpha: 0.3 * total, positive: positive).fit(data)
      #expect(net.coefficients == ridge.coefficients && net.intercept == ridge.intercept)
      // A little L1 gives nearly the same, by coordinate descent.
      let near = try ElasticNet(
        alpha: 0.3, l1Ratio: 1e-9, positive: positive, tolerance: 1e-14, maxIterations: 1_000_000
      ).fit(data)
      #expect(relativeDifference(near.coefficients, net.coefficients) < 1e-5)
    }
    let free = try Lasso(alpha: 0).fit(data)
    #expect(relativeDifference(free.coefficients, try LinearRegression().fit(data).coefficients) < 1e-9)
    #expect(try Lasso().path(data, alphas: [0, 0.1]).map(\.alpha) == [0.1, 0])
    #expect(try Lasso().path(data, alphas: [0, 0.1])[1].model.coefficients == free.coefficients)
    let joint = try ElasticNet.fitJointly(
      [ElasticNet(alpha: 0.1, l1Ratio: 0), ElasticNet(alpha: 0.1)], on: data, FitContext())
    #expect(try joint[0].get() == ElasticNet(alpha: 0.1, l1Ratio: 0).fit(data))
  }

  @Test func bitsAreTheSameAtEveryThreadCount() throws {
    let data = try Dataset.linear(30_000, 12)
    let models = try [1, 2, 4].map {
      try Lasso(alpha: 0.1).fit(data, FitContext(compute: ComputeContext(threads: $0)))
    }
    #expect(models[1] == models[0])
    #expect(models[2] == models[0])
  }

  @Test func degenerateDataGiveFiniteAnswers() throws {
    let base = try Dataset.linear(30, 4)
    var features = base.features
    for row in 0..<30 {
      features[row, 0] = 0.1
      features[row, 2] = features[row, 1]
    }
    let data = base.replacingFeatures(features, columns: base.columns)
    let model = try ElasticNet(alpha: 0.1).fit(data)
    #expect(model.coefficients[0] == 0)
    #expect(try #require(model.convergence).converged)
    let constant = try Dataset(features: features, target: .values([Double](repeating: 4, count: 30)))
    let flat = try Lasso(alpha: 0.1).fit(constant)
    #expect(flat.coefficients.allSatisfy { $0 == 0 } && flat.intercept == 4)
    #expect(try Lasso().path(constant).count == 1)
    #expect(try Lasso().fit(data.gatheringRows([3])).coefficients.allSatisfy { $0 == 0 })
  }

  @Test func badParametersAndDataAreRefused() throws {
    let data = try Dataset.linear(10, 2)
    for estimator in [
      ElasticNet(alpha: -1), ElasticNet(l1Ratio: -0.1), ElasticNet(l1Ratio: 1.1), ElasticNet(tolerance: 0),
    ] {
      #expect { try estimator.fit(data) } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
    }
    #expect { try Lasso(alpha: -1).fit(data) } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
    #expect { try Lasso().path(data, alphas: [1, -1]) } throws: {
      ($0 as? ApusError)?.kind == .invalidParameter
    }
    #expect { try ElasticNet(l1Ratio: 0).path(data) } throws: {
      ($0 as? ApusError)?.kind == .invalidParameter
    }
    var features = data.features
    features[3, 1] = .nan
    #expect {
      try Lasso().fit(data.replacingFeatures(features, columns: data.columns))
    } throws: { ($0 as? ApusError)?.kind == .data && "\($0)".contains("lasso") }
    let broken = data.replacingFeatures(features, columns: data.columns)
    for name in ["lasso", "elastic-net"] {
      #expect {
        _ = try name == "lasso" ? Lasso().path(broken) : ElasticNet().path(broken)
      } throws: { ($0 as? ApusError)?.kind == .data && "\($0)".contains(name) }
      #expect {
        _ = try name == "lasso" ? Lasso().path(data, alphas: [-1]) : ElasticNet().path(data, alphas: [-1])
      } throws: { ($0 as? ApusError)?.message.hasPrefix("\(name):") == true }
    }
  }
}
