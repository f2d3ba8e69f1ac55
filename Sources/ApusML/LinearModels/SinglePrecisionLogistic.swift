import ApusLinearAlgebra
import ApusParallel
import CKernels

/// A ``LogisticObjective`` of several scores in single precision: half the bytes and twice the numbers a vector, for
/// the way to a minimum whose end is found in double precision.
struct SinglePrecisionLogistic: Sendable {
  private var objective: LogisticObjective
  /// The features less their means, which leaves the rounding of what is small to them.
  private let features: Matrix<Float>
  /// The numbers from one row of scores to the next.
  private let stride: Int

  /// Rows whose sums are formed in single precision; those of several such blocks are added in double precision.
  private static let rowsPerSum = 256
  /// A score so low that its exponential vanishes.
  private static let gap: Float = -1e30

  /// Converts the features; nil where there are one score, too many for the loops, or features out of range.
  init?(_ objective: LogisticObjective) throws {
    stride = (objective.scoreCount + 7) / 8 * 8
    guard objective.scoreCount > 1, stride <= NarrowProducts.mostScores else { return nil }
    self.objective = objective
    let (n, p) = (objective.features.rowCount, objective.featureCount)
    var areFinite = true
    features = objective.features.withUnsafeElements { x in
      objective.means.withUnsafeBufferPointer { means in
        Matrix(rowCount: n, columnCount: p) { single in
          var check: Float = 0
          for row in 0..<n {
            for column in 0..<p {
              let value = Float(x[row &* p &+ column] - means[column])
              single[row &* p &+ column] = value
              check += value * 0
            }
          }
          areFinite = check == 0
        }
      }
    }
    if !areFinite { return nil }
  }

  /// The same rows and another penalty.
  func with(penaltyOf objective: LogisticObjective) -> SinglePrecisionLogistic {
    var other = self
    other.objective = objective
    return other
  }

  /// The value of the objective and its gradient, as ``LogisticObjective/evaluate(_:gradient:)`` gives them.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func evaluate(_ parameters: [Double], gradient: inout [Double]) throws -> Double {
    let (p, k) = (objective.featureCount, objective.scoreCount)
    var coefficients = [Float](repeating: 0, count: p * stride)
    for feature in 0..<p {
      for score in 0..<k { coefficients[feature * stride + score] = Float(parameters[feature * k + score]) }
    }
    var offsets = [Float](repeating: Self.gap, count: stride)
    for score in 0..<k { offsets[score] = objective.fitIntercept ? Float(parameters[p * k + score]) : 0 }
    // The gradient of the coefficients, the sums of the residuals, and the loss.
    let size = p * stride + stride + 1
    let (right, added) = (coefficients, offsets)
    var sums = [Double](repeating: 0, count: size)
    try sums.withUnsafeMutableBufferPointer { sums in
      try BlockedProducts.sumOverRowBlocks(
        rows: features.rowCount, workPerRow: (p + 8) * k, resultRows: 1, resultColumns: size,
        into: sums.baseAddress!, stride: size, objective.compute
      ) { rows, part, _ in
        addLoss(rows, right, added, into: part)
      }
    }
    let scale = 1 / objective.weightSum
    var squares = 0.0
    for feature in 0..<p {
      for score in 0..<k {
        let index = feature * k + score
        gradient[index] = scale * sums[feature * stride + score] + objective.penalty * parameters[index]
        squares += parameters[index] * parameters[index]
      }
    }
    if objective.fitIntercept {
      for score in 0..<k { gradient[p * k + score] = scale * sums[p * stride + score] }
    }
    return scale * sums[size - 1] + 0.5 * objective.penalty * squares
  }

  /// Writes the sums over some rows: the residuals' products with the features, the residuals, the losses.
  private func addLoss(
    _ rows: Range<Int>, _ coefficients: [Float], _ offsets: [Float],
    into sums: UnsafeMutablePointer<Double>
  ) {
    let p = objective.featureCount
    let size = p * stride
    sums.update(repeating: 0, count: size + stride + 1)
    let height = min(rows.count, Self.rowsPerSum)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: height * stride + size) { room in
      let scores = room.baseAddress!
      let part = scores + height * stride
      features.withUnsafeElements { x in
        objective.classes.withUnsafeBufferPointer { y in
          objective.weights.withOptionalBuffer { weights in
            var row = rows.lowerBound
            while row < rows.upperBound {
              let count = min(height, rows.upperBound - row)
              let block = x.baseAddress! + row * p
              ckernels_narrow_scores_single(count, p, stride, block, coefficients, scores)
              sums[size + stride] += ckernels_softmax_residuals_single(
                count, stride, scores, offsets, y.baseAddress! + row, weights.map { $0 + row }, sums + size)
              part.update(repeating: 0, count: size)
              ckernels_narrow_gradient_single(count, p, stride, block, scores, part)
              for index in 0..<size { sums[index] += Double(part[index]) }
              row += count
            }
          }
        }
      }
    }
  }
}
