import ApusLinearAlgebra
import ApusParallel

/// The function that a linear support vector machine minimises for one class against the rest, over `C·S`:
/// `Σᵢ sᵢ·max(0, 1 − yᵢ·(w·xᵢ + b))² / S + λ/2·(‖w‖² + b²)`, S being the sum of the weights.
struct SquaredHingeObjective: Sendable {
  let features: Matrix<Double>
  /// 1 or −1 for each row.
  let signs: [Double]
  let weights: [Double]
  /// λ, `1 / (C·S)`.
  let penalty: Double
  let fitIntercept: Bool
  let compute: ComputeContext

  /// Up to so many parameters Newton's method is used.
  private static let hessianLimit = 512

  private var parameterCount: Int { features.columnCount + (fitIntercept ? 1 : 0) }

  /// Walks to the minimum from zero.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func minimize(
    tolerance: Double, maximumIterations: Int
  ) throws -> (coefficients: [Double], intercept: Double, convergence: Convergence) {
    var parameters = [Double](repeating: 0, count: parameterCount)
    let total = weights.reduce(0, +)
    let convergence =
      if parameterCount <= Self.hessianLimit {
        try newton(&parameters, total, tolerance, maximumIterations)
      } else {
        try LimitedMemoryBFGS(maximumIterations: maximumIterations, tolerance: tolerance).minimize(
          &parameters, evaluate: { try evaluate($0, total, &$1, nil) }, residual: largest,
          precondition: { _ in })
      }
    return (
      Array(parameters.prefix(features.columnCount)), fitIntercept ? parameters[features.columnCount] : 0,
      convergence
    )
  }

  private func newton(
    _ parameters: inout [Double], _ total: Double, _ tolerance: Double, _ maximumIterations: Int
  ) throws -> Convergence {
    let size = parameterCount
    var gradient = [Double](repeating: 0, count: size)
    var slack = [Double](repeating: 0, count: features.rowCount)
    var value = try slack.withUnsafeMutableBufferPointer {
      try evaluate(parameters, total, &gradient, $0.baseAddress)
    }
    var iterations = 0
    while true {
      let residual = largest(gradient)
      guard residual > tolerance, residual.isFinite, iterations < maximumIterations else {
        return Convergence(iterations: iterations, converged: residual <= tolerance, residual: residual)
      }
      var hessian = try self.hessian(slack, total)
      var direction = gradient.map { -$0 }
      let isPositive = hessian.withUnsafeMutableElements { h in
        guard BLAS.choleskyFactor(n: size, a: h.baseAddress!, aStride: size) else { return false }
        BLAS.choleskySolve(n: size, factor: h.baseAddress!, stride: size, b: &direction)
        return true
      }
      if !isPositive { direction = gradient.map { -$0 } }
      let next = try search(
        from: parameters, value, gradient, along: direction, BLAS.dot(size, gradient, direction)
      ) { point, gradient in
        try slack.withUnsafeMutableBufferPointer { try evaluate(point, total, &gradient, $0.baseAddress) }
      }
      guard let next else {
        return Convergence(iterations: iterations, converged: false, residual: residual)
      }
      (parameters, value, gradient) = (next.point, next.value, next.gradient)
      iterations += 1
    }
  }

  private func largest(_ gradient: [Double]) -> Double { gradient.reduce(0) { max($0, abs($1)) } }

  /// The value and the gradient; `slack` receives `max(0, 1 − yᵢ·scoreᵢ)` for each row.
  private func evaluate(
    _ parameters: [Double], _ total: Double, _ gradient: inout [Double],
    _ slack: UnsafeMutablePointer<Double>?
  ) throws -> Double {
    let (n, p) = (features.rowCount, features.columnCount)
    let intercept = fitIntercept ? parameters[p] : 0
    var sums = [Double](repeating: 0, count: p + 2)
    try features.withUnsafeElements { x in
      try sums.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let (x, slack) = (x.baseAddress!, slack)
        try BlockedProducts.sumOverRowBlocks(
          rows: n, workPerRow: 2 * p + 8, resultRows: 1, resultColumns: p + 2, into: sums.baseAddress!,
          stride: p + 2, compute
        ) { rows, part, _ in
          var scores = [Double](repeating: 0, count: rows.count)
          let block = x + rows.lowerBound * p
          BLAS.gemv(m: rows.count, n: p, a: block, aStride: p, x: parameters, y: &scores)
          var (loss, sum) = (0.0, 0.0)
          for index in 0..<rows.count {
            let row = rows.lowerBound + index
            let missing = max(0, 1 - signs[row] * (scores[index] + intercept))
            slack?[row] = missing
            let weighted = weights[row] * missing
            loss += weighted * missing
            scores[index] = -2 * signs[row] * weighted
            sum += scores[index]
          }
          BLAS.gemv(transpose: true, m: rows.count, n: p, a: block, aStride: p, x: scores, y: part)
          part[p] = sum
          part[p + 1] = loss
        }
      }
    }
    var squares = 0.0
    for index in parameters.indices {
      gradient[index] = sums[index] / total + penalty * parameters[index]
      squares += parameters[index] * parameters[index]
    }
    return sums[p + 1] / total + 0.5 * penalty * squares
  }

  /// The generalised Hessian, lower triangle: only rows inside the margin bend the loss.
  private func hessian(_ slack: [Double], _ total: Double) throws -> Matrix<Double> {
    let p = features.columnCount
    let width = parameterCount
    let factors = slack.indices.map { slack[$0] > 0 ? (2 * weights[$0] / total).squareRoot() : 0 }
    let zeros = [Double](repeating: 0, count: p)
    return try features.withUnsafeElements { x in
      try Matrix(rowCount: width, columnCount: width) { hessian in
        nonisolated(unsafe) let x = x.baseAddress!
        try BlockedProducts.sumOverRowBlocks(
          rows: features.rowCount, workPerRow: width * width / 2, resultRows: width, resultColumns: width,
          into: hessian.baseAddress!, stride: width, compute
        ) { rows, part, stride in
          addShiftedGram(
            rows, p, width: width, x: x, shift: zeros, y: nil, yShift: 0, scale: factors, into: part,
            stride: stride)
        }
        for index in 0..<width { hessian[index * width + index] += penalty }
      }
    }
  }
}
