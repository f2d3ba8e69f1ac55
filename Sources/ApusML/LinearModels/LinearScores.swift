import ApusLinearAlgebra
import ApusParallel

/// The scores `X·Wᵀ + b` of rows for each of `k` linear functions, `n × k`.
///
/// - Throws: ``ApusError`` of kind `data` for a feature that is not finite, `cancelled`.
func linearScores(
  _ features: Matrix<Double>, _ coefficients: Matrix<Double>, _ intercepts: [Double],
  _ compute: ComputeContext
) throws -> Matrix<Double> {
  var scores = try features.multiplied(byTransposeOf: coefficients, compute)
  let k = intercepts.count
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
