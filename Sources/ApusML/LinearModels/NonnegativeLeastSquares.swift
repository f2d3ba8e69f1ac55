import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Penalised least squares with coefficients of at least zero on one data set, for any number of penalties: the
/// sums over the rows are formed once. A single fit goes the same way, so its bits are those of a fit among many.
struct NonnegativeSolver: Sendable {
  private let moments: CenteredMoments
  private let fitIntercept: Bool
  private let cancellation: Cancellation

  /// Forms the sums over the rows.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a target or features that cannot be used, `numerical`,
  ///   `cancelled`.
  init(_ data: Dataset, estimator: String, fitIntercept: Bool, _ compute: ComputeContext) throws {
    let target = try data.regressionTarget(for: estimator)
    try data.requireNumericColumns(for: estimator)
    moments = try CenteredMoments(
      features: data.features, target: target, weights: data.weights, centered: fitIntercept, compute)
    if !moments.areFinite { try refuse(data, estimator) }
    self.fitIntercept = fitIntercept
    cancellation = compute.cancellation
  }

  /// The model for a penalty α ≥ 0.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func solve(alpha: Double) throws -> LinearRegressionModel {
    var gram = moments.gram
    for index in 0..<gram.rowCount { gram[index, index] += alpha }
    let (coefficients, convergence) = try nonnegativeLeastSquares(
      gram, moments.crossProducts, cancellation)
    return LinearRegressionModel(
      coefficients: coefficients, intercept: fitIntercept ? moments.intercept(coefficients) : 0,
      convergence: convergence)
  }
}

/// Minimises `½·wᵀGw − c·w` over `w ≥ 0`, by the active-set method of Lawson and Hanson in the form of Bro and
/// de Jong (1997) that needs the normal equations only.
///
/// Features are scaled to unit length inside, so that their units do not matter.
///
/// - Parameters:
///   - gram: G, `p × p`, symmetric positive semidefinite.
///   - products: c, `p`.
///   - cancellation: asked before each solution of normal equations.
/// - Returns: the coefficients, and the largest violation of the optimality conditions, relative to c.
/// - Throws: ``ApusError`` of kind `cancelled`.
func nonnegativeLeastSquares(
  _ gram: Matrix<Double>, _ products: [Double], _ cancellation: Cancellation
) throws -> (coefficients: [Double], convergence: Convergence) {
  let p = gram.rowCount
  let lengths = (0..<p).map { gram[$0, $0] > 0 ? gram[$0, $0].squareRoot() : 0 }
  let inverses = lengths.map { $0 > 0 ? 1 / $0 : 0 }
  let scaledProducts = (0..<p).map { products[$0] * inverses[$0] }
  let scale = scaledProducts.map(abs).max() ?? 0
  let tolerance = 1e-13 * scale
  var passive: [Int] = []
  var solution = [Double](repeating: 0, count: p)
  var gradient = scaledProducts
  // A feature that could not enter, being collinear with those inside, is left out until another one enters.
  var refused = Set<Int>()
  var iterations = 0
  while iterations < 10 * p + 10 {
    let candidate = (0..<p)
      .filter { solution[$0] == 0 && !passive.contains($0) && !refused.contains($0) && lengths[$0] > 0 }
      .max { gradient[$0] < gradient[$1] }
    guard let entering = candidate, gradient[entering] > tolerance else { break }
    iterations += 1
    passive.append(entering)
    while true {
      try cancellation.check()
      guard let trial = solve(passive) else {
        passive.removeAll { $0 == entering }
        refused.insert(entering)
        break
      }
      if trial.allSatisfy({ $0 > 0 }) {
        for (position, feature) in passive.enumerated() { solution[feature] = trial[position] }
        refused.removeAll()
        break
      }
      // As far towards the trial as every coefficient stays nonnegative; those that reach zero leave.
      var step = 1.0
      for (position, feature) in passive.enumerated() where trial[position] <= 0 {
        let gap = solution[feature] - trial[position]
        step = min(step, gap > 0 ? solution[feature] / gap : 0)
      }
      for (position, feature) in passive.enumerated() {
        solution[feature] += step * (trial[position] - solution[feature])
        if trial[position] <= 0, solution[feature] <= 1e-15 * abs(trial[position]) { solution[feature] = 0 }
      }
      let remaining = passive.filter { solution[$0] > 0 }
      if remaining.count == passive.count { break }
      passive = remaining
    }
    for feature in 0..<p {
      gradient[feature] = passive.reduce(scaledProducts[feature]) {
        $0 - gram[feature, $1] * inverses[feature] * inverses[$1] * solution[$1]
      }
    }
  }
  let violation = (0..<p).reduce(0.0) { largest, feature in
    max(largest, solution[feature] > 0 ? abs(gradient[feature]) : gradient[feature])
  }
  let relative = scale > 0 ? violation / scale : 0
  return (
    (0..<p).map { solution[$0] * inverses[$0] },
    Convergence(iterations: iterations, converged: relative <= 1e-8, residual: relative)
  )

  /// The least-squares solution with some features alone; nil when they are collinear.
  func solve(_ features: [Int]) -> [Double]? {
    let size = features.count
    var factor = features.flatMap { row in
      features.map { gram[row, $0] * inverses[row] * inverses[$0] }
    }
    var right = features.map { scaledProducts[$0] }
    guard BLAS.choleskyFactor(n: size, a: &factor, aStride: size),
      (0..<size).allSatisfy({ factor[$0 * size + $0] > 1e-6 })
    else { return nil }
    BLAS.choleskySolve(n: size, factor: factor, stride: size, b: &right)
    return right
  }
}
