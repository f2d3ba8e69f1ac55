import ApusLinearAlgebra
import ApusParallel

/// Minimises a ``LogisticObjective``, by a method chosen from its shape.
///
/// Few parameters: Newton's method with the whole Hessian, which bad scaling and correlation do not slow down.
/// Otherwise BFGS: with many rows, from the minimum on an eighth of them and with the curvature found there as
/// its preconditioner, so that only a few passes over all rows remain; with few rows, from zero, preconditioned
/// by the curvature there and, after a few steps, by that of the place reached.
struct LogisticSolver {
  var maximumIterations: Int
  var tolerance: Double

  /// A sample keeps one row in so many.
  private static let sampling = 8
  /// Rows for each column that a sample must keep for its curvature to stand for all.
  private static let rowsPerColumn = 30
  /// Up to so many parameters the whole Hessian is formed: of one score, and of several.
  private static let hessianLimits = (one: 128, several: 160)
  /// Beyond so many features, blocks of curvature cost more than the passes that they save.
  private static let blockLimit = 320
  /// After so many steps the curvature at zero is no longer that of the place reached. On the digits of
  /// scikit-learn 5 lead to 23 passes over the rows, 8 to 25, and none to 31.
  private static let stepsFromZero = 5
  /// The share of the first residual below which the rounding of single precision would show.
  private static let singleReach = 1e-5

  /// Walks to the minimum from `parameters`.
  ///
  /// - Parameter start: what is known at zero, where the walk begins if it is given.
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func minimize(
    _ objective: LogisticObjective, _ parameters: inout [Double], from start: LogisticStart? = nil
  ) throws -> Convergence {
    let width = objective.featureCount + 1
    guard Self.isSampled(objective) else {
      if Self.formsHessian(objective) { return try minimizeByNewton(objective, &parameters) }
      return try minimizeFromZero(objective, &parameters, start)
    }
    let sample = objective.sampled(every: Self.sampling)
    var rough = self
    // The sample's own minimum is off by about the noise of its gradient; a tenth of that will do.
    rough.tolerance = max(tolerance, 0.1 / Double(sample.features.rowCount).squareRoot())
    if sample.weightSum > 0 { _ = try rough.minimize(sample, &parameters) }
    if sample.weightSum > 0, width <= Self.blockLimit {
      return try minimizeByBFGS(objective, &parameters, try blocks(sample, parameters))
    }
    return try minimizeByBFGS(objective, &parameters, try diagonal(objective))
  }

  /// Whether fits of an objective begin with what ``LogisticStart`` holds.
  static func startsFromZero(_ objective: LogisticObjective) -> Bool {
    !isSampled(objective) && !formsHessian(objective) && curvatureCounts(objective)
  }

  private static func isSampled(_ objective: LogisticObjective) -> Bool {
    objective.features.rowCount >= sampling * rowsPerColumn * (objective.featureCount + 1)
      && objective.penalty > 0
  }

  private static func formsHessian(_ objective: LogisticObjective) -> Bool {
    objective.parameterCount <= (objective.scoreCount == 1 ? hessianLimits.one : hessianLimits.several)
  }

  /// Whether the curvature at zero is worth its cost.
  private static func curvatureCounts(_ objective: LogisticObjective) -> Bool {
    let width = objective.featureCount + 1
    return width <= blockLimit && width <= objective.features.rowCount
  }

  /// Walks from zero with the curvature there, and then with that of the place reached: one block for all scores,
  /// since a block for each costs more passes over the rows than it saves.
  private func minimizeFromZero(
    _ objective: LogisticObjective, _ parameters: inout [Double], _ start: LogisticStart?
  ) throws -> Convergence {
    guard Self.curvatureCounts(objective) else {
      return try minimizeByBFGS(objective, &parameters, try diagonal(objective))
    }
    let start = try start ?? LogisticStart(objective, parameters)
    guard let precondition = try solver(objective, start.curvature) else {
      return try minimizeByBFGS(objective, &parameters, try diagonal(objective))
    }
    let approach = start.approach.flatMap { self.approach(objective, $0) }
    let exact = exactWalk(objective)
    var known = approach == nil ? nil : start.approach?.value
    let first = try (approach ?? exact).minimize(
      &parameters, &known, atMost: min(maximumIterations, Self.stepsFromZero), precondition)
    guard !first.converged || approach != nil, first.residual.isFinite else { return first }
    var iterations = first.iterations
    let better =
      first.converged
      ? precondition : try solver(objective, objective.meanCurvature(parameters)) ?? precondition
    if let approach, !first.converged {
      iterations += try approach.minimize(
        &parameters, &known, atMost: maximumIterations - iterations, better
      ).iterations
    }
    if approach != nil { known = nil }
    var convergence = try exact.minimize(
      &parameters, &known, atMost: maximumIterations - iterations, better)
    convergence.iterations += iterations
    return convergence
  }

  private func minimizeByBFGS(
    _ objective: LogisticObjective, _ parameters: inout [Double], _ precondition: (inout [Double]) -> Void
  ) throws -> Convergence {
    var iterations = 0
    let start = try LogisticStart.Approach(objective, parameters)
    if let start, let approach = approach(objective, start) {
      var known: FunctionValue? = start.value
      iterations = try approach.minimize(&parameters, &known, atMost: maximumIterations, precondition)
        .iterations
    }
    var known: FunctionValue?
    var convergence = try exactWalk(objective).minimize(
      &parameters, &known, atMost: maximumIterations - iterations, precondition)
    convergence.iterations += iterations
    return convergence
  }

  /// The walk that has the last word.
  private func exactWalk(_ objective: LogisticObjective) -> LogisticWalk {
    LogisticWalk(
      tolerance: tolerance, rounding: 1e-13, endsInRounding: false, residual: objective.residual,
      evaluate: { try objective.evaluate($0, gradient: &$1) })
  }

  /// Nearly all of the way in single precision, at half the cost, so that little or nothing is left to do in double
  /// precision; nil where that is of no use.
  private func approach(_ objective: LogisticObjective, _ start: LogisticStart.Approach) -> LogisticWalk? {
    let first = objective.residual(start.value.gradient)
    let goal = max(0.98 * tolerance, Self.singleReach * first)
    guard start.value.value.isFinite, first.isFinite, first > goal else { return nil }
    let single = start.single.with(penaltyOf: objective)
    return LogisticWalk(
      tolerance: goal, rounding: 1e-7, endsInRounding: true, residual: objective.residual,
      evaluate: { try single.evaluate($0, gradient: &$1) })
  }

  /// Newton's method with a line search.
  private func minimizeByNewton(
    _ objective: LogisticObjective, _ parameters: inout [Double]
  ) throws -> Convergence {
    var gradient = [Double](repeating: 0, count: parameters.count)
    var value = try objective.evaluate(parameters, gradient: &gradient)
    var iterations = 0
    while true {
      let size = objective.residual(gradient)
      guard size > tolerance, size.isFinite, iterations < maximumIterations,
        let direction = newtonDirection(gradient, try objective.hessian(parameters), objective),
        let next = try search(
          from: parameters, value, gradient, along: direction,
          BLAS.dot(gradient.count, gradient, direction), { try objective.evaluate($0, gradient: &$1) })
      else { return Convergence(iterations: iterations, converged: size <= tolerance, residual: size) }
      (parameters, value, gradient) = (next.point, next.value, next.gradient)
      iterations += 1
    }
  }

  /// Minus the inverse Hessian times the gradient; a Hessian that is singular to rounding gets a growing ridge.
  private func newtonDirection(
    _ gradient: [Double], _ hessian: Matrix<Double>, _ objective: LogisticObjective
  ) -> [Double]? {
    let size = hessian.rowCount
    let width = size / objective.scoreCount
    let trace = (0..<size).reduce(0) { $0 + hessian[$1, $1] }
    var ridge = 0.0
    for _ in 0..<12 {
      var factor = hessian
      let isPositive = factor.withUnsafeMutableElements { a in
        for index in 0..<size { a[index * size + index] += ridge }
        return BLAS.choleskyFactor(n: size, a: a.baseAddress!, aStride: size)
      }
      if isPositive {
        var right = objective.byScore(gradient, width)
        right.withUnsafeMutableBufferPointer { b in
          factor.withUnsafeElements { l in
            BLAS.choleskySolve(n: size, factor: l.baseAddress!, stride: size, b: b.baseAddress!)
          }
        }
        let direction = objective.byFeature(right, width).map { -$0 }
        if direction.allSatisfy(\.isFinite) { return direction }
      }
      ridge = max(1e-14 * trace / Double(size), 10 * ridge)
    }
    return nil
  }

  /// Solves with one block for all scores; nil where it is not positive definite.
  private func solver(
    _ objective: LogisticObjective, _ curvature: Matrix<Double>
  ) throws -> ((inout [Double]) -> Void)? {
    do {
      return solver(objective.scoreCount, factor: try objective.meanCurvatureFactor(curvature))
    } catch let error as ApusError where error.kind == .numerical {
      return nil
    }
  }

  /// Divides by the diagonal of the Hessian where all classes are equally likely.
  private func diagonal(_ objective: LogisticObjective) throws -> (inout [Double]) -> Void {
    let (p, k) = (objective.featureCount, objective.scoreCount)
    let share = 1 / Double(max(2, k))
    let variances = objective.features.withUnsafeElements { x in
      var sums = [Double](repeating: 0, count: p)
      for row in 0..<objective.features.rowCount {
        let weight = (objective.weights?[row] ?? 1) / objective.weightSum
        for column in 0..<p {
          let difference = x[row * p + column] - objective.means[column]
          sums[column] += weight * difference * difference
        }
      }
      return sums
    }
    // A constant column has a gradient of zero; any positive number will do for it.
    let inverses = variances.map { variance in
      let curvature = share * (1 - share) * variance + objective.penalty
      return curvature > 0 && curvature.isFinite ? 1 / curvature : 1
    }
    return { vector in
      for feature in 0..<p {
        for score in 0..<k { vector[feature * k + score] *= inverses[feature] }
      }
      for index in (p * k)..<vector.count { vector[index] /= share * (1 - share) }
    }
  }

  /// Solves with the blocks of the Hessian that belong to one score each.
  private func blocks(
    _ objective: LogisticObjective, _ parameters: [Double]
  ) throws -> (inout [Double]) -> Void {
    solver(objective, try objective.curvatureBlocks(parameters))
  }

  /// Solves with one Cholesky factor for all scores, whose parameters stand in columns.
  private func solver(_ scores: Int, factor: Matrix<Double>) -> (inout [Double]) -> Void {
    let width = factor.rowCount
    return { vector in
      vector.withUnsafeMutableBufferPointer { columns in
        factor.withUnsafeElements { l in
          BLAS.choleskySolve(
            n: width, width: scores, factor: l.baseAddress!, stride: width, b: columns.baseAddress!,
            bStride: scores)
        }
      }
    }
  }

  /// Solves with the Cholesky factor of each score's block.
  private func solver(
    _ objective: LogisticObjective, _ factors: [Matrix<Double>]
  ) -> (inout [Double]) -> Void {
    let width = factors[0].rowCount
    return { vector in
      var columns = objective.byScore(vector, width)
      columns.withUnsafeMutableBufferPointer { columns in
        for (score, factor) in factors.enumerated() {
          factor.withUnsafeElements { l in
            BLAS.choleskySolve(
              n: width, factor: l.baseAddress!, stride: width, b: columns.baseAddress! + score * width)
          }
        }
      }
      vector = objective.byFeature(columns, width)
    }
  }
}
