import ApusLinearAlgebra
import ApusParallel
import CKernels

/// The function that logistic regression minimises, on given rows:
/// `F(W, b) = Σᵢ sᵢ·loss(xᵢ·W + b, yᵢ) / S + λ/2·‖W‖²`, S being the sum of the weights sᵢ.
///
/// With two classes there is one column of scores, the log-odds of the second class; with more, a column a
/// class and the softmax of them. Parameters lie as W (`p × k`, row by row) and then b (`k`, if there is an
/// intercept). Inside, features count from their means: that changes b alone, `b = b′ − mean·W`, and unties
/// the intercept from the coefficients of features that are far from zero.
struct LogisticObjective: Sendable {
  let features: Matrix<Double>
  let classes: [Int32]
  let weights: [Double]?
  /// The number of columns of scores, `k`: 1 for two classes.
  let scoreCount: Int
  /// λ, `1 / (C·S)` with S of the whole data set.
  let penalty: Double
  let fitIntercept: Bool
  /// The weighted means of the features; zeros without an intercept.
  let means: [Double]
  /// S, the sum of the weights.
  let weightSum: Double
  let compute: ComputeContext

  /// The number of features.
  var featureCount: Int { features.columnCount }

  /// The number of coefficients, without the intercepts.
  var coefficientCount: Int { features.columnCount * scoreCount }

  /// The number of parameters.
  var parameterCount: Int { coefficientCount + (fitIntercept ? scoreCount : 0) }

  /// The numbers from one row of scores, or of coefficients, to the next in the loops over rows.
  private var rowStride: Int { scoreCount == 1 ? 1 : NarrowProducts.stride(scores: scoreCount) }

  /// The coefficients with rows of ``rowStride`` numbers.
  private func spread(_ parameters: [Double]) -> [Double] {
    let k = scoreCount
    guard rowStride > k else { return parameters }
    return NarrowProducts.spread(features: featureCount, scores: k) { parameters[$0 * k + $1] }
  }

  /// The value of F and its gradient, both in centred coordinates.
  ///
  /// One pass over the rows: each block's scores, losses and residuals stay in the cache.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func evaluate(_ parameters: [Double], gradient: inout [Double]) throws -> Double {
    let (p, k, stride) = (featureCount, scoreCount, rowStride)
    let offsets = self.offsets(parameters)
    // The gradient of the coefficients, the sums of the residuals, and the loss.
    let size = p * stride + k + 1
    var sums = [Double](repeating: 0, count: size)
    try features.withUnsafeElements { x in
      try spread(parameters).withUnsafeBufferPointer { w in
        try classes.withUnsafeBufferPointer { y in
          try weights.withOptionalBuffer { s in
            try sums.withUnsafeMutableBufferPointer { sums in
              nonisolated(unsafe) let (x, w, y, s) = (x.baseAddress!, w.baseAddress!, y.baseAddress!, s)
              try BlockedProducts.sumOverRowBlocks(
                rows: features.rowCount, workPerRow: 2 * (p + 8) * k, resultRows: 1, resultColumns: size,
                into: sums.baseAddress!, stride: size, compute
              ) { rows, part, _ in
                addLogisticLoss(
                  rows, p, k, stride: stride, x: x, coefficients: w, offsets: offsets, labels: y, weights: s,
                  into: part)
              }
            }
          }
        }
      }
    }
    let scale = 1 / weightSum
    var squares = 0.0
    parameters.withUnsafeBufferPointer { w in
      gradient.withUnsafeMutableBufferPointer { g in
        for feature in 0..<p {
          for score in 0..<k {
            let index = feature * k + score
            let centred = sums[feature * stride + score] - means[feature] * sums[p * stride + score]
            g[index] = scale * centred + penalty * w[index]
            squares += w[index] * w[index]
          }
        }
        if fitIntercept { for score in 0..<k { g[p * k + score] = scale * sums[p * stride + score] } }
      }
    }
    return scale * sums[p * stride + k] + 0.5 * penalty * squares
  }

  /// What is added to `x·W`: the intercepts seen from the origin instead of the means.
  func offsets(_ parameters: [Double]) -> [Double] {
    let (p, k) = (featureCount, scoreCount)
    guard fitIntercept else { return [Double](repeating: 0, count: k) }
    var offsets = Array(parameters[(p * k)...])
    for feature in 0..<p {
      for score in 0..<k { offsets[score] -= means[feature] * parameters[feature * k + score] }
    }
    return offsets
  }

  /// The largest component of the gradient in the user's coordinates: what the tolerance is compared with.
  func residual(_ gradient: [Double]) -> Double {
    let (p, k) = (featureCount, scoreCount)
    var largest = 0.0
    for feature in 0..<p {
      for score in 0..<k {
        let shift = fitIntercept ? means[feature] * gradient[p * k + score] : 0
        largest = max(largest, abs(gradient[feature * k + score] + shift))
      }
    }
    if fitIntercept { for score in 0..<k { largest = max(largest, abs(gradient[p * k + score])) } }
    return largest
  }

  /// The scores of some rows turned into probabilities, `rows × k`.
  func probabilities(_ parameters: [Double]) throws -> Matrix<Double> {
    let (n, p, k) = (features.rowCount, featureCount, scoreCount)
    let offsets = self.offsets(parameters)
    return try features.withUnsafeElements { x in
      try parameters.withUnsafeBufferPointer { w in
        try Matrix(rowCount: n, columnCount: k) { scores in
          let scores = scores.baseAddress!
          try BlockedProducts.rowProduct(
            m: n, n: k, k: p, a: x.baseAddress!, aStride: p, b: w.baseAddress!, bStride: k, c: scores,
            cStride: k, compute)
          if k == 1 {
            ckernels_sigmoid(n, scores, offsets[0])
          } else {
            ckernels_softmax(n, k, scores, offsets)
          }
        }
      }
    }
  }

  /// The same function on every `step`-th row, for a first approach to the minimum.
  func sampled(every step: Int) -> LogisticObjective {
    let rows = Array(stride(from: 0, to: features.rowCount, by: step))
    let weights = weights.map { all in rows.map { all[$0] } }
    return LogisticObjective(
      features: features.gatheringRows(rows), classes: rows.map { classes[$0] }, weights: weights,
      scoreCount: scoreCount, penalty: penalty, fitIntercept: fitIntercept, means: means,
      weightSum: weights?.reduce(0, +) ?? Double(rows.count), compute: compute)
  }
}

/// Writes the sums over some rows: the residuals' products with the features, the residuals, the losses.
private func addLogisticLoss(
  _ rows: Range<Int>, _ p: Int, _ k: Int, stride: Int, x: UnsafePointer<Double>,
  coefficients: UnsafePointer<Double>, offsets: [Double], labels: UnsafePointer<Int32>,
  weights: UnsafePointer<Double>?, into sums: UnsafeMutablePointer<Double>
) {
  sums.update(repeating: 0, count: p * stride + k + 1)
  let residualSums = sums + p * stride
  // A block's features and scores fit a second-level cache of 512 KiB.
  let height = min(rows.count, max(32, 32_768 / (p + stride)))
  let scores = UnsafeMutablePointer<Double>.allocate(capacity: max(1, height * stride))
  defer { scores.deallocate() }
  var row = rows.lowerBound
  while row < rows.upperBound {
    let count = min(height, rows.upperBound - row)
    let block = x + row * p
    let blockWeights = weights.map { $0 + row }
    if k == 1 {
      _ = ckernels_linear_predictions(count, p, block, coefficients, 0, scores)
      residualSums[1] += ckernels_logistic_residuals(
        count, scores, offsets[0], labels + row, blockWeights, residualSums)
      BLAS.gemv(transpose: true, m: count, n: p, a: block, aStride: p, x: scores, beta: 1, y: sums)
    } else {
      let isNarrow = stride <= NarrowProducts.mostScores
      if isNarrow {
        ckernels_narrow_scores(count, p, stride, block, coefficients, scores)
      } else {
        BLAS.gemm(
          m: count, n: stride, k: p, a: block, aStride: p, b: coefficients, bStride: stride, c: scores,
          cStride: stride)
      }
      residualSums[k] += ckernels_softmax_residuals(
        count, k, scores, stride, offsets, labels + row, blockWeights, residualSums)
      if isNarrow {
        ckernels_narrow_gradient(count, p, stride, block, scores, sums)
      } else {
        BLAS.gemm(
          transposeA: true, m: p, n: stride, k: count, a: block, aStride: p, b: scores, bStride: stride,
          beta: 1, c: sums, cStride: stride)
      }
    }
    row += count
  }
}
