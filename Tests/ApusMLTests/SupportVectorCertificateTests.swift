import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Foundation
import Testing

/// The optimality conditions of support vector machines, with kernels and sums in Double by their definitions.
@Suite struct SupportVectorCertificateTests {
  private static let kernels: [SupportVectorKernel] = [.rbf, .linear, .polynomial, .sigmoid]

  private func value(
    _ kernel: SupportVectorKernel, _ x: [Double], _ y: [Double], gamma: Double, constant: Double, degree: Int
  ) -> Double {
    let product = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    switch kernel {
    case .linear: return product
    case .polynomial:
      return (0..<degree).reduce(1) { power, _ in power * (gamma * product + constant) }
    case .sigmoid: return tanh(gamma * product + constant)
    case .rbf:
      let square = zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return exp(-gamma * square)
    }
  }

  /// Features near 1 with a class that is not separable, a target that is not linear, and weights.
  private func data(for task: LearningTask) throws -> Dataset {
    var random = Seed(11).randomSource()
    let rows = (0..<90).map { _ in (0..<3).map { _ in random.normal() } }
    let scores = rows.map { $0[0] - $0[1] * $0[2] + 0.5 * random.normal() }
    return try Dataset(
      features: Matrix(rows),
      target: task == .regression ? .values(scores) : .classes(scores.map { $0 > 0 ? "yes" : "no" }),
      weights: (0..<90).map { 0.5 + Double($0 % 4) / 2 })
  }

  @Test(arguments: kernels) func classifiersAreOptimal(kernel: SupportVectorKernel) throws {
    let data = try data(for: .classification)
    var estimator = SVC()
    (estimator.kernel, estimator.c, estimator.gamma, estimator.degree) = (kernel, 0.7, .value(0.4), 2)
    estimator.coef0 = 1
    estimator.tolerance = 1e-4
    let model = try estimator.fit(data)
    let classes = try data.targetClasses()
    var alphas = [Double](repeating: 0, count: 90)
    for (position, row) in model.supportRows.enumerated() { alphas[row] = model.coefficients[position, 0] }
    // Coefficients are positive for the first class.
    var (free, bounded) = (0, 0)
    for row in 0..<90 {
      let sign = classes[row] == 0 ? 1.0 : -1
      let decision = model.supportRows.reduce(model.biases[0]) { sum, support in
        sum + alphas[support]
          * value(
            kernel, data.features.row(row), data.features.row(support), gamma: 0.4, constant: 1, degree: 2)
      }
      let (margin, alpha, bound) = (sign * decision, sign * alphas[row], 0.7 * data.weights![row])
      #expect(alpha >= 0 && alpha <= bound)
      if alpha == 0 {
        #expect(margin > 1 - 1e-3, "\(row)")
      } else if alpha == bound {
        #expect(margin < 1 + 1e-3, "\(row)")
        bounded += 1
      } else {
        #expect(abs(margin - 1) < 1e-3, "\(row)")
        free += 1
      }
    }
    #expect(free > 0 && bounded > 0)
    #expect(abs(alphas.reduce(0, +)) < 1e-9)
  }

  @Test(arguments: kernels) func regressorsAreOptimal(kernel: SupportVectorKernel) throws {
    let data = try data(for: .regression)
    var estimator = SVR()
    (estimator.kernel, estimator.c, estimator.gamma, estimator.degree) = (kernel, 0.7, .value(0.4), 2)
    (estimator.coef0, estimator.epsilon, estimator.tolerance) = (1, 0.3, 1e-4)
    let model = try estimator.fit(data)
    let target = try data.targetValues()
    var coefficients = [Double](repeating: 0, count: 90)
    for (row, coefficient) in zip(model.supportRows, model.coefficients) { coefficients[row] = coefficient }
    var (free, bounded, inside) = (0, 0, 0)
    for row in 0..<90 {
      let prediction = model.supportRows.reduce(model.bias) { sum, support in
        sum + coefficients[support]
          * value(
            kernel, data.features.row(row), data.features.row(support), gamma: 0.4, constant: 1, degree: 2)
      }
      let (error, bound) = (target[row] - prediction, 0.7 * data.weights![row])
      // How far the row lies outside the tube, on the side that its coefficient pulls to.
      let outside = (coefficients[row] < 0 ? -error : error) - 0.3
      #expect(abs(coefficients[row]) <= bound)
      if coefficients[row] == 0 {
        #expect(abs(error) < 0.3 + 1e-3, "\(row)")
        inside += 1
      } else if abs(coefficients[row]) == bound {
        #expect(outside > -1e-3, "\(row)")
        bounded += 1
      } else {
        #expect(abs(outside) < 1e-3, "\(row)")
        free += 1
      }
    }
    #expect(free > 0 && bounded > 0 && inside > 0)
    #expect(abs(coefficients.reduce(0, +)) < 1e-9)
  }
}
