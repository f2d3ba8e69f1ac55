import ApusParallel
import CKernels

/// A quadratic problem of support vector machines:
/// minimise ½ Σ yₛyₜ αₛαₜ k(s,t) − Σ yₜ vₜ αₜ with 0 ≤ αₜ ≤ Cₜ and Σ yₜαₜ = 0.
///
/// Variables come in `copies` runs over the same points: one for classification, two (above and below the
/// tube) for regression.
struct SupportVectorProblem {
  /// +1 or −1 for each variable.
  var signs: [Double]
  /// vₜ: −yₜ times the gradient where all α are 0.
  var values: [Double]
  /// Cₜ.
  var bounds: [Double]
  /// How many runs over the points there are.
  var copies = 1
  /// The largest violation of the optimality conditions at which the solution is taken.
  var tolerance: Double
  /// The most steps.
  var maxIterations: Int
  /// The estimator's name, for messages.
  var estimator: String
}

/// The optimum of a ``SupportVectorProblem``.
struct SupportVectorSolution {
  /// yₜαₜ for each point, copies added up.
  var coefficients: [Double]
  /// What is added to Σ coefficient · k.
  var bias: Double
  var convergence: Convergence
}

extension SupportVectorProblem {
  /// Solves the problem by sequential minimal optimisation (Platt, 1998): steps in two variables at a time,
  /// the first the largest violator, the second the one of largest gain by a second-order estimate (Fan, Chen
  /// and Lin, 2005).
  func solve(_ rows: KernelRowCache, _ cancellation: Cancellation) throws -> SupportVectorSolution {
    var state = MinimalOptimizationState(self, rows)
    var convergence = Convergence(iterations: 0, converged: false, residual: .infinity)
    var extremes = state.update(step: 0, 0, 0)
    while true {
      convergence.residual = max(0, extremes.highestValue - extremes.lowestValue)
      convergence.converged = !(convergence.residual >= tolerance)
      guard !convergence.converged, convergence.iterations < maxIterations else { break }
      // A step may compute two rows of the kernel matrix: of many points with many features, some milliseconds.
      if convergence.iterations % 16 == 0 { try cancellation.check() }
      guard let next = state.step(from: extremes) else { break }
      extremes = next
      convergence.iterations += 1
    }
    guard state.isFinite else {
      throw ApusError(
        .numerical, "\(estimator): the kernel's values are too large for single precision",
        hint: "put standard-scaler before it, or lower gamma or degree")
    }
    return SupportVectorSolution(
      coefficients: state.coefficients, bias: state.bias(extremes), convergence: convergence)
  }
}

private struct MinimalOptimizationState {
  private let problem: SupportVectorProblem
  private var rows: KernelRowCache
  private let pointCount: Int
  private let diagonal: [Float]
  private var alphas: [Double]
  /// −yₜ times the gradient.
  private var values: [Double]
  /// 0 where yₜαₜ may grow, −∞ where not.
  private var up: [Float]
  /// 0 where yₜαₜ may shrink, ∞ where not.
  private var down: [Float]

  init(_ problem: SupportVectorProblem, _ rows: KernelRowCache) {
    self.problem = problem
    self.rows = rows
    pointCount = problem.signs.count / problem.copies
    diagonal = rows.diagonal
    alphas = problem.signs.map { _ in 0 }
    values = problem.values
    up = problem.signs.map { $0 > 0 ? 0 : -.infinity }
    down = problem.signs.map { $0 < 0 ? 0 : .infinity }
  }

  /// Whether no kernel value was infinite or not a number.
  var isFinite: Bool { values.allSatisfy(\.isFinite) }

  var coefficients: [Double] {
    var sums = [Double](repeating: 0, count: pointCount)
    for index in alphas.indices { sums[index % pointCount] += problem.signs[index] * alphas[index] }
    return sums
  }

  /// The mean of the values of the variables between their bounds, or the middle of the extremes.
  func bias(_ extremes: SVMExtremes) -> Double {
    let free = alphas.indices.filter { alphas[$0] > 0 && alphas[$0] < problem.bounds[$0] }
    if !free.isEmpty { return free.reduce(0) { $0 + values[$1] } / Double(free.count) }
    if !extremes.highestValue.isFinite { return extremes.lowestValue.isFinite ? extremes.lowestValue : 0 }
    if !extremes.lowestValue.isFinite { return extremes.highestValue }
    return (extremes.highestValue + extremes.lowestValue) / 2
  }

  /// Takes the step of most promise from the largest violator; nil where no variable can be its partner.
  mutating func step(from extremes: SVMExtremes) -> SVMExtremes? {
    let i = Int(extremes.highest)
    let pointI = i % pointCount
    let rowI = rows.row(pointI)
    var (gain, j) = (Float(0), -1)
    for copy in 0..<problem.copies {
      let start = copy * pointCount
      var found = Float(0)
      let partner = values.withUnsafeBufferPointer { values in
        down.withUnsafeBufferPointer { down in
          ckernels_svm_partner(
            values.baseAddress! + start, down.baseAddress! + start, rowI, diagonal, diagonal[pointI],
            extremes.highestValue, pointCount, &found)
        }
      }
      if partner >= 0, found > gain { (gain, j) = (found, start + Int(partner)) }
    }
    guard j >= 0 else { return nil }
    let pointJ = j % pointCount
    let curvature = max(1e-12, Double(diagonal[pointI]) + Double(diagonal[pointJ]) - 2 * Double(rowI[pointJ]))
    let roomI = problem.signs[i] > 0 ? problem.bounds[i] - alphas[i] : alphas[i]
    let roomJ = problem.signs[j] > 0 ? alphas[j] : problem.bounds[j] - alphas[j]
    let step = min((values[i] - values[j]) / curvature, min(roomI, roomJ))
    move(i, problem.signs[i] * step, toItsBound: step == roomI)
    move(j, -problem.signs[j] * step, toItsBound: step == roomJ)
    return update(step: step, pointI, pointJ)
  }

  private mutating func move(_ index: Int, _ change: Double, toItsBound: Bool) {
    let bound = problem.bounds[index]
    let moved = alphas[index] + change
    // What misses a bound by the rounding of its steps is at the bound: it would pass for free, and alone decide the bias.
    let margin = 1e-13 * bound
    alphas[index] =
      toItsBound
      ? (change > 0 ? bound : 0) : moved > bound - margin ? bound : moved < margin ? 0 : moved
    let mayGrow = alphas[index] < bound
    let mayShrink = alphas[index] > 0
    let isPositive = problem.signs[index] > 0
    up[index] = (isPositive ? mayGrow : mayShrink) ? 0 : -.infinity
    down[index] = (isPositive ? mayShrink : mayGrow) ? 0 : .infinity
  }

  /// Brings the values up to date with a step in two points and finds the extremes.
  mutating func update(step: Double, _ pointI: Int, _ pointJ: Int) -> SVMExtremes {
    let (rowI, rowJ) = (rows.row(pointI), rows.row(pointJ))
    var result = SVMExtremes(highest: -1, highestValue: -.infinity, lowestValue: .infinity)
    for copy in 0..<problem.copies {
      let start = copy * pointCount
      let found = values.withUnsafeMutableBufferPointer { values in
        up.withUnsafeBufferPointer { up in
          down.withUnsafeBufferPointer { down in
            ckernels_svm_update(
              values.baseAddress! + start, up.baseAddress! + start, down.baseAddress! + start, rowI, rowJ,
              step, pointCount)
          }
        }
      }
      if found.highestValue > result.highestValue {
        result.highestValue = found.highestValue
        result.highest = found.highest + Int64(start)
      }
      result.lowestValue = min(result.lowestValue, found.lowestValue)
    }
    return result
  }
}
