import ApusLinearAlgebra
import ApusParallel

/// Minimises `½·‖y − Xw‖² + l1·‖w‖₁ + l2/2·‖w‖²`, one coefficient at a time.
///
/// `residual` in the returned convergence is the duality gap as a share of `‖y‖²`: the value at hand is at
/// most that far above the minimum.
struct CoordinateDescent {
  /// The penalties, and whether coefficients must be at least zero.
  struct Penalty {
    var l1: Double
    var l2: Double
    var positive: Bool
  }

  /// The coefficients as they stand.
  private(set) var coefficients: [Double]
  private let problem: ElasticNetProblem
  /// `‖xⱼ‖²` of each feature.
  private let squares: [Double]
  /// `Xᵀ(y − Xw)` with the normal equations, `y − Xw` with columns.
  private var state: [Double]

  /// Starts from zero.
  init(_ problem: ElasticNetProblem) {
    self.problem = problem
    switch problem.form {
    case .gram(let gram, let products):
      squares = (0..<gram.rowCount).map { gram[$0, $0] }
      state = products
    case .columns(let columns, let target):
      let n = columns.columnCount
      squares = columns.withUnsafeElements { x in
        (0..<columns.rowCount).map { BLAS.dot(n, x.baseAddress! + $0 * n, x.baseAddress! + $0 * n) }
      }
      state = target
    }
    coefficients = [Double](repeating: 0, count: squares.count)
  }

  /// The weakest L1 penalty that keeps every coefficient at zero.
  func strongestGradient(positive: Bool) -> Double {
    let products: [Double]
    switch problem.form {
    case .gram(_, let all): products = all
    case .columns(let columns, let target):
      products = columns.withUnsafeElements { x in
        let n = columns.columnCount
        return (0..<columns.rowCount).map { BLAS.dot(n, x.baseAddress! + $0 * n, target) }
      }
    }
    return products.reduce(0) { max($0, positive ? $1 : abs($1)) }
  }

  /// Descends until the gap is at most `tolerance · ‖y‖²`.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  mutating func run(
    _ penalty: Penalty, tolerance: Double, maximumPasses: Int, _ cancellation: Cancellation
  ) throws -> Convergence {
    let scale = problem.targetSquares > 0 ? problem.targetSquares : 1
    var active = squares.indices.filter { squares[$0] > 0 }
    for index in coefficients.indices where penalty.positive && coefficients[index] < 0 {
      move(index, to: 0)
    }
    var passes = 0
    var gap = self.gap(penalty, leavingOut: &active)
    while gap > tolerance * scale, passes < maximumPasses {
      try cancellation.check()
      // With columns a gap costs as much as a pass over all features; it is asked for after several.
      let passesBetweenGaps = if case .gram = problem.form { 1 } else { 5 }
      for _ in 0..<min(passesBetweenGaps, maximumPasses - passes) {
        pass(active, penalty)
        passes += 1
      }
      gap = self.gap(penalty, leavingOut: &active)
    }
    return Convergence(iterations: passes, converged: gap <= tolerance * scale, residual: gap / scale)
  }

  private mutating func pass(_ active: [Int], _ penalty: Penalty) {
    for feature in active {
      let product = correlation(feature) + squares[feature] * coefficients[feature]
      var size = abs(product) - penalty.l1
      if penalty.positive && product < 0 { size = 0 }
      let updated =
        size > 0 ? (product < 0 ? -size : size) / (squares[feature] + penalty.l2) : 0
      if updated != coefficients[feature] { move(feature, to: updated) }
    }
  }

  /// `xⱼ·(y − Xw)`.
  private func correlation(_ feature: Int) -> Double {
    switch problem.form {
    case .gram: return state[feature]
    case .columns(let columns, _):
      let n = columns.columnCount
      return columns.withUnsafeElements { BLAS.dot(n, $0.baseAddress! + feature * n, state) }
    }
  }

  private mutating func move(_ feature: Int, to value: Double) {
    let change = coefficients[feature] - value
    coefficients[feature] = value
    switch problem.form {
    case .gram(let matrix, _), .columns(let matrix, _):
      let width = matrix.columnCount
      matrix.withUnsafeElements { BLAS.axpy(width, change, $0.baseAddress! + feature * width, &state) }
    }
  }

  /// The duality gap, and, by it, the features whose coefficients are certain to be zero, left out.
  private func gap(_ penalty: Penalty, leavingOut active: inout [Int]) -> Double {
    var residualSquares = 0.0
    var residualTarget = 0.0
    let correlations: [Double]
    switch problem.form {
    case .gram(_, let products):
      correlations = state
      for (index, value) in coefficients.enumerated() where value != 0 {
        residualSquares -= value * (products[index] + state[index])
        residualTarget -= value * products[index]
      }
      residualSquares = max(0, residualSquares + problem.targetSquares)
      residualTarget += problem.targetSquares
    case .columns(_, let target):
      correlations = coefficients.indices.map { correlation($0) }
      residualSquares = BLAS.dot(state.count, state, state)
      residualTarget = BLAS.dot(state.count, state, target)
    }
    var largest = 0.0
    var norm = 0.0
    var squaredNorm = 0.0
    for (index, value) in coefficients.enumerated() {
      let slope = correlations[index] - penalty.l2 * value
      largest = max(largest, penalty.positive ? slope : abs(slope))
      norm += abs(value)
      squaredNorm += value * value
    }
    // The residual, shrunk until it is a point of the dual problem.
    let shrinkage = largest > penalty.l1 ? penalty.l1 / largest : 1
    let gap =
      0.5 * (1 + shrinkage * shrinkage) * (residualSquares + penalty.l2 * squaredNorm) + penalty.l1 * norm
      - shrinkage * residualTarget
    let radius = (2 * max(0, gap)).squareRoot()
    var kept: [Int] = []
    for feature in active {
      let slope = shrinkage * (correlations[feature] - penalty.l2 * coefficients[feature])
      let reach = radius * (squares[feature] + penalty.l2).squareRoot()
      // A coefficient that is certain to be zero but is not yet stays until a pass has set it so.
      if coefficients[feature] != 0 || (penalty.positive ? slope : abs(slope)) + reach >= penalty.l1 {
        kept.append(feature)
      }
    }
    active = kept
    return gap
  }
}
