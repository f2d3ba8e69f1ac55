import ApusLinearAlgebra
import Foundation

/// Minimises a smooth convex function from values and gradients: the limited-memory BFGS method of Nocedal
/// (1980), with a preconditioner of the caller's choice as its first guess of the inverse Hessian.
struct LimitedMemoryBFGS {
  /// How many steps are remembered.
  var memory = 10
  /// The largest number of steps.
  var maximumIterations: Int
  /// The residual at which the search ends.
  var tolerance: Double
  /// The relative rounding of the values.
  var rounding = 1e-13
  /// Whether the search also ends where a step gains no more than that rounding, because exacter values follow.
  var endsInRounding = false

  /// Walks to the minimum.
  ///
  /// - Parameters:
  ///   - point: where to start, and where it ended.
  ///   - evaluate: the value and the gradient at a point.
  ///   - residual: what of a gradient is compared with the tolerance.
  ///   - precondition: multiplies a vector by an approximate inverse Hessian, symmetric positive definite.
  /// - Throws: what `evaluate` throws.
  func minimize(
    _ point: inout [Double], evaluate: ([Double], inout [Double]) throws -> Double,
    residual: ([Double]) -> Double, precondition: (inout [Double]) -> Void
  ) throws -> Convergence {
    var known: FunctionValue?
    return try minimize(&point, &known, evaluate: evaluate, residual: residual, precondition: precondition)
  }

  /// Walks to the minimum.
  ///
  /// - Parameter known: the value and the gradient where the walk begins, if they are known, and where it ended.
  func minimize(
    _ point: inout [Double], _ known: inout FunctionValue?,
    evaluate: ([Double], inout [Double]) throws -> Double, residual: ([Double]) -> Double,
    precondition: (inout [Double]) -> Void
  ) throws -> Convergence {
    let count = point.count
    var gradient = known?.gradient ?? [Double](repeating: 0, count: count)
    var value = try known?.value ?? evaluate(point, &gradient)
    defer { known = FunctionValue(value: value, gradient: gradient) }
    var steps: [Step] = []
    var iterations = 0
    while true {
      let size = residual(gradient)
      // A value that is not finite cannot be improved on; the caller sees it in the residual.
      guard size > tolerance, size.isFinite, iterations < maximumIterations else {
        return Convergence(iterations: iterations, converged: size <= tolerance, residual: size)
      }
      var direction = descentDirection(gradient, steps, precondition)
      var slope = BLAS.dot(count, gradient, direction)
      if !(slope < 0) {
        steps.removeAll()
        direction = gradient.map { -$0 }
        slope = -BLAS.dot(count, gradient, gradient)
      }
      guard
        let next = try search(
          from: point, value, gradient, along: direction, slope, rounding: rounding, evaluate)
      else {
        if steps.isEmpty {
          return Convergence(iterations: iterations, converged: false, residual: size)
        }
        steps.removeAll()
        continue
      }
      let change = zip(next.gradient, gradient).map { $0 - $1 }
      let shift = direction.map { $0 * next.length }
      let curvature = BLAS.dot(count, shift, change)
      if curvature > 0 {
        if steps.count == memory { steps.removeFirst() }
        steps.append(Step(shift: shift, change: change, curvature: curvature))
      }
      let gain = value - next.value
      (point, value, gradient) = (next.point, next.value, next.gradient)
      iterations += 1
      if endsInRounding, gain <= rounding * abs(value) {
        let size = residual(gradient)
        return Convergence(iterations: iterations, converged: size <= tolerance, residual: size)
      }
    }
  }

  /// A step that was taken: how far, and how the gradient changed.
  private struct Step {
    let shift: [Double]
    let change: [Double]
    let curvature: Double
  }

  /// Minus the approximate inverse Hessian times the gradient, by the two loops of Nocedal.
  private func descentDirection(
    _ gradient: [Double], _ steps: [Step], _ precondition: (inout [Double]) -> Void
  ) -> [Double] {
    let count = gradient.count
    var direction = gradient
    var factors = [Double](repeating: 0, count: steps.count)
    for (index, step) in steps.enumerated().reversed() {
      factors[index] = BLAS.dot(count, step.shift, direction) / step.curvature
      BLAS.axpy(count, -factors[index], step.change, &direction)
    }
    precondition(&direction)
    if let last = steps.last {
      // The length that the last step suggests for the preconditioner.
      var scaled = last.change
      precondition(&scaled)
      let norm = BLAS.dot(count, last.change, scaled)
      if norm > 0 { BLAS.scale(count, last.curvature / norm, &direction) }
    }
    for (index, step) in steps.enumerated() {
      let factor = BLAS.dot(count, step.change, direction) / step.curvature
      BLAS.axpy(count, factors[index] - factor, step.shift, &direction)
    }
    BLAS.scale(count, -1, &direction)
    return direction
  }
}

/// What a function is somewhere.
struct FunctionValue: Sendable {
  var value: Double
  var gradient: [Double]
}

/// A point that a line search has found.
struct LineSearchResult {
  var point: [Double]
  var value: Double
  var gradient: [Double]
  var length: Double
}

/// Looks along a descent direction for a point that decreases a function enough, starting with a full step
/// and halving (Armijo).
///
/// Near the minimum the decrease drowns in rounding; there a point counts whose slope has shrunk while the
/// value has not risen by more than the rounding (after Hager and Zhang, 2005), relative to the value.
///
/// - Returns: the point, or nil when no step of the direction helps.
func search(
  from point: [Double], _ value: Double, _ gradient: [Double], along direction: [Double], _ slope: Double,
  rounding: Double = 1e-13, _ evaluate: ([Double], inout [Double]) throws -> Double
) rethrows -> LineSearchResult? {
  let count = point.count
  var result = LineSearchResult(point: point, value: value, gradient: gradient, length: 1)
  for _ in 0..<40 {
    result.point = point
    BLAS.axpy(count, result.length, direction, &result.point)
    result.value = try evaluate(result.point, &result.gradient)
    if result.value <= value + 1e-4 * result.length * slope { return result }
    let newSlope = BLAS.dot(count, result.gradient, direction)
    if result.value <= value + rounding * max(abs(value), 1e-300), abs(newSlope) <= 0.9 * abs(slope) {
      return result
    }
    // The minimum of the parabola through what is known, kept within a tenth and a half.
    let fitted = -slope * result.length / (2 * ((result.value - value) / result.length - slope))
    result.length = min(0.5 * result.length, max(0.1 * result.length, fitted.isFinite ? fitted : 0))
  }
  return nil
}
