import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

@Suite struct RidgeTests {
  static let cases = LinearModelCase.load("ridge.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 14) }

  @Test(arguments: cases) func coefficientsAgreeWithScikitLearn(_ golden: LinearModelCase) throws {
    let model = try Ridge().setting(golden.parameters).fit(golden.data())
    // With coefficients of at least zero scikit-learn goes by limited-memory BFGS, which ends earlier.
    let tolerance = golden.parameters["positive"] == nil ? 1e-9 : 1e-6
    #expect(relativeDifference(model.coefficients, golden.coefficients[0]) < tolerance)
    #expect(relativeDifference([model.intercept], golden.intercepts, floor: 1) < tolerance)
  }

  @Test(arguments: [0.0, 1e-8, 1, 1e4]) func nonnegativeCoefficientsMeetTheirOptimalityConditions(
    alpha: Double
  ) throws {
    for (n, p) in [(200, 12), (15, 30), (1, 1)] {
      let weights = (0..<n).map { 0.5 + Double($0 % 4) }
      let data = try Dataset.linear(n, p, noise: 1, weights: weights)
      let model = try Ridge(alpha: alpha, positive: true).fit(data)
      let y = try data.targetValues()
      #expect(model.coefficients.min()! >= 0)
      if n > 1 { #expect(model.coefficients.max()! > 0) }
      let residuals = try zip(y, model.predict(data.features)).map { $0 - $1 }
      let weighted = zip(residuals, weights).map { $0 * $1 }
      let slopes = try data.features.transposedMultiplied(by: weighted)
      let scale =
        try data.features.transposedMultiplied(by: zip(y, weights).map { $0 * $1 }).map(abs).max()! + 1
      for (slope, coefficient) in zip(slopes, model.coefficients) {
        let remainder = slope - alpha * coefficient
        #expect(coefficient > 0 ? abs(remainder) < 1e-7 * scale : remainder < 1e-7 * scale)
      }
      #expect(abs(weighted.reduce(0, +)) < 1e-9 * Double(n))
      #expect(try #require(model.convergence).converged)
    }
  }

  @Test func nonnegativeCandidatesShareTheirSumsToTheBit() async throws {
    let data = try Dataset.linear(90, 6, noise: 1)
    let alphas = [0, 1e-3, 1, 50]
    let single = try alphas.map { try Ridge(alpha: $0, positive: true).fit(data) }
    #expect(try Ridge(positive: true).fit(alphas: alphas, data) == single)
    let free = try Ridge().fit(alphas: alphas, data)
    #expect(zip(free, single).allSatisfy { $0.coefficients.min()! < 0 && $1.coefficients.min()! == 0 })
    let grid = ParameterGrid(Ridge()).varying(\.alpha, alphas).varying(\.positive, [false, true])
    try await expectScoresOfIndependentFits(GridSearch(grid), on: data)
  }

  @Test(arguments: [0.0, 1e-8, 1, 100]) func gradientIsZeroAtTheSolution(alpha: Double) throws {
    for (n, p) in [(50, 4), (5, 4), (3, 10), (2000, 30), (1, 1)] {
      let weights = (0..<n).map { 0.5 + Double($0 % 4) }
      let data = try Dataset.linear(n, p, weights: weights)
      let model = try Ridge(alpha: alpha).fit(data)
      let y = try data.targetValues()
      let residuals = try zip(model.predict(data.features), y).map { $0 - $1 }
      let weighted = zip(residuals, weights).map { $0 * $1 }
      let gradient = try data.features.transposedMultiplied(by: weighted)
      let scale = try data.features.transposedMultiplied(by: zip(y, weights).map { abs($0 * $1) }).map(abs)
        .max()!
      for (slope, coefficient) in zip(gradient, model.coefficients) {
        #expect(abs(slope + alpha * coefficient) < 1e-10 * (scale + alpha + 1))
      }
      #expect(abs(weighted.reduce(0, +)) < 1e-9 * Double(n))
    }
  }

  @Test func manyPenaltiesEqualSingleFitsToTheBit() throws {
    let alphas = (0..<20).map { pow(10, Double($0) / 2 - 6) } + [0]
    for (n, p) in [(300, 7), (6, 12), (5000, 20)] {
      let data = try Dataset.linear(n, p)
      let together = try Ridge().fit(alphas: alphas, data)
      let single = try alphas.map { try Ridge(alpha: $0).fit(data, FitContext(compute: .sequential)) }
      #expect(together == single)
    }
    let data = try Dataset.linear(10, 2)
    #expect(throws: ApusError.self) { try Ridge().fit(alphas: [1, -1], data) }
  }

  @Test func bitsAreTheSameAtEveryThreadCount() throws {
    let data = try Dataset.linear(40_000, 24)
    let models = try [1, 2, 4].map {
      try Ridge().fit(data, FitContext(compute: ComputeContext(threads: $0)))
    }
    #expect(models[1] == models[0])
    #expect(models[2] == models[0])
  }

  @Test func weightsCountAsRepeatedRows() throws {
    let data = try Dataset.linear(30, 3)
    let weights = (0..<30).map { Double($0 % 3) }
    let repeated = data.gatheringRows((0..<30).flatMap { Array(repeating: $0, count: $0 % 3) })
    let weighted = try Ridge(alpha: 0.3).fit(data.replacingWeights(weights))
    let expected = try Ridge(alpha: 0.3).fit(repeated)
    #expect(relativeDifference(weighted.coefficients, expected.coefficients) < 1e-12)
    #expect(abs(weighted.intercept - expected.intercept) < 1e-12)
  }

  @Test func featuresFarFromZeroKeepTheirDigits() throws {
    let data = try Dataset.linear(500, 3)
    var shifted = data.features
    for row in 0..<500 { shifted[row, 1] += 1e6 }
    let moved = data.replacingFeatures(shifted, columns: data.columns)
    let model = try Ridge().fit(data)
    let movedModel = try Ridge().fit(moved)
    // The shift itself costs the features six of their sixteen digits.
    #expect(relativeDifference(movedModel.coefficients, model.coefficients) < 1e-8)
    #expect(
      try relativeDifference(movedModel.predict(shifted), model.predict(data.features)) < 1e-8)
  }

  @Test func singularProblemsHaveTheSolutionOfSmallestNorm() throws {
    // The third column is the sum of the others, the fourth is constant.
    let data = try Dataset.linear(60, 2)
    let features = Matrix(
      (0..<60).map { row in
        let (a, b) = (data.features[row, 0], data.features[row, 1])
        return [a, b, a + b, 7]
      })
    let collinear = try Dataset(features: features, target: data.target)
    let model = try Ridge(alpha: 0).fit(collinear)
    let plain = try Ridge(alpha: 0).fit(data)
    #expect(try relativeDifference(model.predict(features), plain.predict(data.features)) < 1e-10)
    let c = model.coefficients
    #expect(abs(c[0] + c[1] - c[2]) < 1e-10)
    #expect(c[3] == 0)
  }

  @Test func hugeAndTinyScalesAreSolved() throws {
    let data = try Dataset.linear(200, 3)
    for factor in [1e-120, 1e-6, 1e6, 1e120] {
      let scaled = Matrix(data.features.rowArrays.map { $0.map { $0 * factor } })
      let model = try Ridge(alpha: 0).fit(data.replacingFeatures(scaled, columns: data.columns))
      let expected = try Ridge(alpha: 0).fit(data).coefficients
      #expect(relativeDifference(model.coefficients.map { $0 * factor }, expected) < 1e-9)
    }
    let huge = Matrix(data.features.rowArrays.map { $0.map { $0 * 1e300 } })
    #expect {
      try Ridge().fit(data.replacingFeatures(huge, columns: data.columns))
    } throws: { ($0 as? ApusError)?.kind == .numerical }
  }

  @Test func badDataAreRefused() throws {
    func kind(_ body: () throws -> Void) -> ApusError.Kind? {
      do { try body() } catch { return (error as? ApusError)?.kind }
      return nil
    }
    let data = try Dataset.linear(10, 2)
    for bad in [Double.nan, .infinity] {
      for p in [2, 20] {
        let data = try Dataset.linear(10, p)
        var features = data.features
        features[7, 1] = bad
        let broken = data.replacingFeatures(features, columns: data.columns)
        #expect {
          try Ridge().fit(broken)
        } throws: { error in
          (error as? ApusError)?.kind == .data && "\(error)".contains("row 8, column 'x1'")
        }
      }
    }
    #expect(kind { _ = try Ridge(alpha: -1).fit(data) } == .invalidParameter)
    #expect(kind { _ = try Ridge(alpha: .nan).fit(data) } == .invalidParameter)
    #expect(kind { _ = try Ridge().fit(Dataset(bundled: "iris")) } == .data)
    #expect(kind { _ = try Ridge().fit(data.replacingWeights([Double](repeating: 0, count: 10))) } == .data)
    #expect(kind { _ = try Ridge().fit(data.gatheringRows([])) } == .data)
    let model = try Ridge().fit(data)
    #expect(kind { _ = try model.predict(Matrix([[1.0]])) } == .shape)
    #expect(kind { _ = try model.predict(Matrix([[1.0, .nan]])) } == .data)
  }

  @Test func storedModelsPredictTheSame() throws {
    let data = try Dataset.linear(50, 5)
    let model = try Ridge().fit(data)
    let back = try JSONDecoder().decode(RidgeModel.self, from: JSONEncoder().encode(model))
    #expect(back == model)
  }
}
