import ApusLinearAlgebra
import ApusParallel

/// Minimises a ``LogisticObjective`` plus `l1·‖W‖₁`: Newton's method in which each step minimises the
/// quadratic model with the L1 penalty by coordinate descent (Lee, Sun and Saunders, 2014; as in glmnet).
///
/// The model's Hessian is whole while it is small, and otherwise has a block for each class.
struct ProximalNewton {
  var maximumIterations: Int
  var tolerance: Double
  var l1: Double

  /// Up to so many parameters, the Hessian is formed as a whole.
  private static let hessianLimit = 700

  /// Walks to the minimum from `parameters`.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func minimize(_ objective: LogisticObjective, _ parameters: inout [Double]) throws -> Convergence {
    var gradient = [Double](repeating: 0, count: parameters.count)
    var value = try objective.evaluate(parameters, gradient: &gradient)
    var iterations = 0
    while true {
      try objective.compute.cancellation.check()
      let size = residual(objective, parameters, gradient)
      guard size > tolerance, size.isFinite, iterations < maximumIterations else {
        return Convergence(iterations: iterations, converged: size <= tolerance, residual: size)
      }
      let direction = try self.direction(objective, parameters, gradient, aim: 0.1 * size)
      var step = 1.0
      let norm = l1Norm(parameters, objective)
      // How much the model promises: the slope, and the change of the norm for a whole step.
      let whole = zip(parameters, direction).map { $0 + $1 }
      let promise =
        BLAS.dot(gradient.count, gradient, direction) + l1 * (l1Norm(whole, objective) - norm)
      var isAccepted = false
      for _ in 0..<40 {
        let point = zip(parameters, direction).map { $0 + step * $1 }
        var pointGradient = gradient
        let pointValue = try objective.evaluate(point, gradient: &pointGradient)
        let change = pointValue - value + l1 * (l1Norm(point, objective) - norm)
        let isFlat =
          change <= 1e-13 * abs(value) && residual(objective, point, pointGradient) < 0.9 * size
        if change <= 1e-4 * step * promise || isFlat {
          (parameters, value, gradient) = (point, pointValue, pointGradient)
          isAccepted = true
          break
        }
        step /= 2
      }
      guard isAccepted else {
        return Convergence(iterations: iterations, converged: false, residual: size)
      }
      iterations += 1
    }
  }

  /// The largest component of the smallest subgradient, in the user's coordinates.
  private func residual(
    _ objective: LogisticObjective, _ parameters: [Double], _ gradient: [Double]
  ) -> Double {
    let (p, k) = (objective.featureCount, objective.scoreCount)
    var largest = 0.0
    for feature in 0..<p {
      for score in 0..<k {
        let index = feature * k + score
        let shift = objective.fitIntercept ? objective.means[feature] * gradient[p * k + score] : 0
        let slope = gradient[index] + shift
        let value = parameters[index]
        let violation = value == 0 ? max(0, abs(slope) - l1) : abs(slope + (value > 0 ? l1 : -l1))
        largest = max(largest, violation)
      }
    }
    for index in p * k..<gradient.count { largest = max(largest, abs(gradient[index])) }
    return largest
  }

  private func l1Norm(_ parameters: [Double], _ objective: LogisticObjective) -> Double {
    var sum = 0.0
    for index in 0..<objective.coefficientCount { sum += abs(parameters[index]) }
    return sum
  }

  /// The step to the minimum of the quadratic model with the penalty.
  private func direction(
    _ objective: LogisticObjective, _ parameters: [Double], _ gradient: [Double], aim: Double
  ) throws -> [Double] {
    let k = objective.scoreCount
    let width = objective.featureCount + (objective.fitIntercept ? 1 : 0)
    let slopes = objective.byScore(gradient, width)
    let start = objective.byScore(parameters, width)
    let blocks: [Matrix<Double>]
    if k == 1 || parameters.count <= Self.hessianLimit {
      blocks = [try objective.hessian(parameters, isRegular: false)]
    } else {
      blocks = try objective.hessianBlocks(parameters)
    }
    let size = blocks[0].rowCount
    let steps = try objective.compute.map(blocks.count) { index in
      descend(
        blocks[index], Array(slopes[index * size..<(index + 1) * size]),
        Array(start[index * size..<(index + 1) * size]), width: width,
        coefficientCount: objective.featureCount, aim: aim)
    }
    return objective.byFeature(steps.flatMap(\.self), width)
  }

  /// Coordinate descent on `g·d + ½·dᵀHd + l1·‖w + d‖₁`; intercepts, every `width`-th from
  /// `coefficientCount` on, are not penalised.
  private func descend(
    _ lower: Matrix<Double>, _ slopes: [Double], _ start: [Double], width: Int, coefficientCount: Int,
    aim: Double
  ) -> [Double] {
    let size = slopes.count
    var hessian = lower
    return hessian.withUnsafeMutableElements { h in
      for row in 0..<size { for column in 0..<row { h[column * size + row] = h[row * size + column] } }
      var gradient = slopes
      var point = start
      for _ in 0..<1000 {
        var worst = 0.0
        for index in 0..<size {
          let curvature = h[index * size + index]
          guard curvature > 0 else { continue }
          let penalty = index % width < coefficientCount ? l1 : 0
          let wanted = curvature * point[index] - gradient[index]
          let shrunk = max(0, abs(wanted) - penalty) / curvature
          let change = (wanted < 0 ? -shrunk : shrunk) - point[index]
          guard change != 0 else { continue }
          point[index] += change
          BLAS.axpy(size, change, h.baseAddress! + index * size, &gradient)
          worst = max(worst, abs(change) * curvature)
        }
        if worst <= aim { break }
      }
      return zip(point, start).map { $0 - $1 }
    }
  }
}
