import ApusLinearAlgebra
import ApusParallel
import CKernels

extension LogisticObjective {
  /// The Hessian at some parameters, lower triangle, ordered by score and then feature, the intercept last:
  /// `k·(p + 1)` square.
  ///
  /// With several classes the loss does not change when all scores of a row change alike; a term along that
  /// direction, in which the gradient has no part, makes the matrix invertible.
  ///
  /// - Parameters:
  ///   - parameters: where.
  ///   - isRegular: whether to add that term.
  /// - Complexity: O(n · k² · p²).
  func hessian(_ parameters: [Double], isRegular: Bool = true) throws -> Matrix<Double> {
    let k = scoreCount
    let width = featureCount + (fitIntercept ? 1 : 0)
    let probabilities = try self.probabilities(parameters)
    let pairs = (0..<k).flatMap { a in (0...a).map { (a, $0) } }
    let parts = try compute.map(pairs.count) { index in
      let (a, b) = pairs[index]
      let factors = curvatureRoots(probabilities, a, b, floor: 0)
      return try weightedGram(factors, k == 1 ? compute : compute.onOneThread)
    }
    var hessian = Matrix<Double>(rowCount: k * width, columnCount: k * width)
    for ((a, b), part) in zip(pairs, parts) {
      for row in 0..<width {
        for column in 0..<width {
          let value = part[max(row, column), min(row, column)]
          hessian[a * width + row, b * width + column] = a == b ? value : -value
        }
      }
    }
    for index in 0..<k * width where index % width < featureCount { hessian[index, index] += penalty }
    if k > 1, isRegular {
      for column in 0..<width {
        let size =
          (0..<k).reduce(0) { $0 + hessian[$1 * width + column, $1 * width + column] } / Double(k * k)
        for a in 0..<k {
          for b in 0...a { hessian[a * width + column, b * width + column] += size }
        }
      }
    }
    return hessian
  }

  /// The blocks of the Hessian that belong to one score each, lower triangles.
  ///
  /// - Parameters:
  ///   - parameters: where.
  ///   - floor: curvature that every row keeps.
  /// - Complexity: O(k · n · p²).
  func hessianBlocks(_ parameters: [Double], floor: Double = 0) throws -> [Matrix<Double>] {
    let probabilities = try self.probabilities(parameters)
    return try compute.map(scoreCount) { score in
      let factors = curvatureRoots(probabilities, score, score, floor: floor)
      var block = try weightedGram(factors, scoreCount == 1 ? compute : compute.onOneThread)
      for index in 0..<featureCount { block[index, index] += penalty }
      return block
    }
  }

  /// Cholesky factors of the blocks of the Hessian that belong to one score each.
  ///
  /// Every row keeps a little curvature, so that a class that no sampled row is near to does not get an
  /// unbounded step.
  ///
  /// - Complexity: O(k · n · p²).
  func curvatureBlocks(_ parameters: [Double]) throws -> [Matrix<Double>] {
    try hessianBlocks(parameters, floor: 1e-3 / Double(max(2, scoreCount))).map(regularFactor)
  }

  /// The Cholesky factor of a ``meanCurvature(_:)`` and the penalty.
  func meanCurvatureFactor(_ curvature: Matrix<Double>) throws -> Matrix<Double> {
    var block = curvature
    for index in 0..<featureCount { block[index, index] += penalty }
    return try regularFactor(block)
  }

  /// The mean of the blocks of the Hessian that belong to one score each, without the penalty: where all classes are
  /// equally likely, as at zero, that is each of them.
  ///
  /// - Complexity: O(n · p²).
  func meanCurvature(_ parameters: [Double]) throws -> Matrix<Double> {
    let k = scoreCount
    let floor = 1e-3 / Double(max(2, k))
    let factors = try probabilities(parameters).withUnsafeElements { values in
      (0..<features.rowCount).map { row in
        var sum = 0.0
        for score in 0..<k { sum += values[row &* k &+ score] * (1 - values[row &* k &+ score]) }
        return ((sum / Double(k) + floor) * (weights?[row] ?? 1) / weightSum).squareRoot()
      }
    }
    return try weightedGram(factors, compute)
  }

  /// The Cholesky factor of a block, with a little added to its diagonal: collinear features leave it singular
  /// where the penalty is tiny.
  private func regularFactor(_ block: Matrix<Double>) throws -> Matrix<Double> {
    let width = block.rowCount
    let trace = (0..<width).reduce(0) { $0 + block[$1, $1] }
    var regular = block
    for index in 0..<width {
      regular[index, index] += 1e-10 * trace / Double(width) + .leastNormalMagnitude
    }
    return try Cholesky(regular).factor
  }

  /// The root of each row's weight in the second derivative by the scores a and b, over S.
  private func curvatureRoots(
    _ probabilities: Matrix<Double>, _ a: Int, _ b: Int, floor: Double
  ) -> [Double] {
    let k = scoreCount
    return probabilities.withUnsafeElements { values in
      (0..<features.rowCount).map { row in
        let first = values[row * k + a]
        let curvature = a == b ? first * (1 - first) : first * values[row * k + b]
        return ((curvature + floor) * (weights?[row] ?? 1) / weightSum).squareRoot()
      }
    }
  }

  /// The lower triangle of `Σ fᵢ²·(x′ᵢ, 1)ᵀ(x′ᵢ, 1)` over the centred rows x′; without the last row and column
  /// where there is no intercept.
  private func weightedGram(_ factors: [Double], _ compute: ComputeContext) throws -> Matrix<Double> {
    let p = featureCount
    let width = p + (fitIntercept ? 1 : 0)
    return try features.withUnsafeElements { x in
      try factors.withUnsafeBufferPointer { factors in
        try means.withUnsafeBufferPointer { means in
          try Matrix(rowCount: width, columnCount: width) { gram in
            nonisolated(unsafe) let (x, factors) = (x.baseAddress!, factors.baseAddress!)
            nonisolated(unsafe) let means = means.baseAddress!
            try BlockedProducts.sumOverRowBlocks(
              rows: features.rowCount, workPerRow: width * width / 2, resultRows: width, resultColumns: width,
              into: gram.baseAddress!, stride: width, compute
            ) { rows, part, stride in
              addShiftedGram(
                rows, p, width: width, x: x, shift: means, y: nil, yShift: 0, scale: factors, into: part,
                stride: stride)
            }
          }
        }
      }
    }
  }
}
