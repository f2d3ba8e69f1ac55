import ApusLinearAlgebra
import ApusParallel
import CKernels

/// Products of few scores a row have loops of their own: general ones are made for wide matrices.
enum NarrowProducts {
  /// The most scores a row.
  static let mostScores = 48

  /// The numbers from one row of scores, or of coefficients, to the next: gaps make them whole vectors.
  static func stride(scores k: Int) -> Int { (k + 3) / 4 * 4 }

  /// The coefficients of `k` scores with rows of ``stride(scores:)`` numbers, `p × stride`, zeros in the gaps.
  static func spread(
    features p: Int, scores k: Int, _ coefficient: (_ feature: Int, _ score: Int) -> Double
  ) -> [Double] {
    let stride = stride(scores: k)
    var spread = [Double](repeating: 0, count: p * stride)
    for feature in 0..<p {
      for score in 0..<k { spread[feature * stride + score] = coefficient(feature, score) }
    }
    return spread
  }
}

/// The scores `X·Wᵀ + b` of rows for each of `k` linear functions, `n × k`.
///
/// - Throws: ``ApusError`` of kind `data` for a feature that is not finite, `cancelled`.
func linearScores(
  _ features: Matrix<Double>, _ coefficients: Matrix<Double>, _ intercepts: [Double],
  _ compute: ComputeContext
) throws -> Matrix<Double> {
  let k = intercepts.count
  guard k > 1 else {
    let scores = try linearPredictions(
      features, coefficients.withUnsafeElements { Array($0) }, intercepts[0], compute)
    return try Matrix(rowCount: features.rowCount, columnCount: 1, elements: scores)
  }
  var scores =
    k <= NarrowProducts.mostScores
    ? try narrowScores(features, coefficients, compute)
    : try features.multiplied(byTransposeOf: coefficients, compute)
  let areFinite = scores.withUnsafeMutableElements { scores in
    var check = 0.0
    for row in 0..<features.rowCount {
      for score in 0..<k {
        scores[row * k + score] += intercepts[score]
        check += scores[row * k + score] - scores[row * k + score]
      }
    }
    return check == 0
  }
  // A missing feature makes its row's scores numbers that are not.
  if !areFinite { try features.requireFinite(for: "the model") }
  return scores
}

/// The value `w·x + b` of each row.
///
/// - Throws: ``ApusError`` of kind `data` for a feature that is not finite, `cancelled`.
func linearPredictions(
  _ features: Matrix<Double>, _ coefficients: [Double], _ intercept: Double, _ compute: ComputeContext
) throws -> [Double] {
  let p = features.columnCount
  let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1 + (1 << 17) / max(1, p))
  var areFinite = true
  let predictions = try [Double](unsafeUninitializedCapacity: features.rowCount) { target, filled in
    // Blocks write disjoint rows.
    nonisolated(unsafe) let target = target
    let checks = try compute.map(blocks.count) { block in
      try compute.cancellation.check()
      let rows = blocks[block]
      return features.withUnsafeElements { x in
        ckernels_linear_predictions(
          rows.count, p, x.baseAddress! + rows.lowerBound * p, coefficients, intercept,
          target.baseAddress! + rows.lowerBound) != 0
      }
    }
    areFinite = checks.allSatisfy { $0 }
    filled = features.rowCount
  }
  // A missing feature makes its row's prediction one that is not a number.
  if !areFinite { try features.requireFinite(for: "the model") }
  return predictions
}

/// The products `X·Wᵀ` of few functions, `n × k`.
private func narrowScores(
  _ features: Matrix<Double>, _ coefficients: Matrix<Double>, _ compute: ComputeContext
) throws -> Matrix<Double> {
  let (p, k) = (features.columnCount, coefficients.rowCount)
  let stride = NarrowProducts.stride(scores: k)
  let spread = NarrowProducts.spread(features: p, scores: k) { coefficients[$1, $0] }
  // As many rows as fit a second-level cache beside their scores.
  let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: max(32, 32_768 / (p + stride)))
  return try Matrix(rowCount: features.rowCount, columnCount: k) { target in
    // Blocks write disjoint rows.
    nonisolated(unsafe) let target = target.baseAddress!
    try compute.forEach(blocks.count) { block in
      try compute.cancellation.check()
      let rows = blocks[block]
      let buffer = UnsafeMutablePointer<Double>.allocate(capacity: rows.count * stride)
      defer { buffer.deallocate() }
      features.withUnsafeElements { x in
        ckernels_narrow_scores(rows.count, p, stride, x.baseAddress! + rows.lowerBound * p, spread, buffer)
      }
      for row in 0..<rows.count {
        (target + (rows.lowerBound + row) * k).update(from: buffer + row * stride, count: k)
      }
    }
  }
}

/// The position of the highest score of each row, the first of those where several are equal; with one score a
/// row, whether it is above zero.
func highestScores(_ scores: Matrix<Double>) -> [Int32] {
  let (n, k) = (scores.rowCount, scores.columnCount)
  return scores.withUnsafeElements { scores in
    (0..<n).map { row in
      if k == 1 { return scores[row] > 0 ? 1 : 0 }
      var best = 0
      for score in 1..<k where scores[row * k + score] > scores[row * k + best] { best = score }
      return Int32(best)
    }
  }
}
