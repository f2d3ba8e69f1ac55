import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

@Suite struct LinearRegressionTests {
  static let cases = LinearModelCase.load("least_squares.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 15) }

  @Test(arguments: cases) func coefficientsAgreeWithScikitLearn(_ golden: LinearModelCase) throws {
    let model = try LinearRegression().setting(golden.parameters).fit(golden.data())
    #expect(relativeDifference(model.coefficients, golden.coefficients[0]) < 1e-7)
    #expect(relativeDifference([model.intercept], golden.intercepts, floor: 1) < 1e-7)
  }

  @Test func nonnegativeCoefficientsMeetTheirOptimalityConditions() throws {
    for (n, p) in [(200, 12), (15, 30), (1, 1)] {
      let data = try Dataset.linear(n, p, noise: 1)
      let model = try LinearRegression(positive: true).fit(data)
      let y = try data.targetValues()
      #expect(model.coefficients.min()! >= 0)
      let residuals = try zip(y, model.predict(data.features)).map { $0 - $1 }
      let slopes = try data.features.transposedMultiplied(by: residuals)
      let scale = try data.features.transposedMultiplied(by: y).map(abs).max()!
      for (slope, coefficient) in zip(slopes, model.coefficients) {
        #expect(coefficient > 0 ? abs(slope) < 1e-7 * scale : slope < 1e-7 * scale)
      }
      #expect(try #require(model.convergence).converged)
    }
  }

  @Test func collinearFeaturesShareWithNonnegativeCoefficients() throws {
    let features = Matrix((0..<20).map { [Double($0), Double($0), 5] })
    let data = try Dataset(features: features, target: .values((0..<20).map { 2 * Double($0) + 1 }))
    let model = try LinearRegression(positive: true).fit(data)
    #expect(abs(model.coefficients[0] + model.coefficients[1] - 2) < 1e-10)
    #expect(model.coefficients[2] == 0)
    #expect(abs(model.intercept - 1) < 1e-9)
  }
}
