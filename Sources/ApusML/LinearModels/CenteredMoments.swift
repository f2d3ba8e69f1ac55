import ApusLinearAlgebra
import ApusParallel

/// The weighted sums of a regression that its normal equations are made of: everything that ridge, least
/// squares and coordinate descent need to know about many rows.
///
/// One pass over the features forms them. To keep digits where a column's mean is far larger than its spread,
/// the pass subtracts an estimate of the means from a sample of rows; what remains of the means is taken out
/// of the sums afterwards.
struct CenteredMoments: Sendable {
  /// The sum of the weights.
  let weightSum: Double
  /// The weighted mean of each feature; zeros where there is no intercept.
  let featureMeans: [Double]
  /// The weighted mean of the target; zero where there is no intercept.
  let targetMean: Double
  /// `XᵀWX` of the centred features, `p × p`, with both triangles.
  let gram: Matrix<Double>
  /// `XᵀWy` of the centred features and target; empty without a target.
  let crossProducts: [Double]
  /// `yᵀWy` of the centred target; zero without one.
  let targetSquares: Double

  /// Forms the sums.
  ///
  /// - Parameters:
  ///   - features: `n × p`; a value that is not finite shows in the sums (``areFinite``).
  ///   - target: `n` numbers, or nil where the features alone matter.
  ///   - weights: the weight of each row, or nil for ones.
  ///   - centered: whether means are subtracted, for a model with an intercept.
  ///   - compute: threads and cancellation; the bits do not depend on them.
  /// - Throws: ``ApusError`` of kind `cancelled`.
  /// - Complexity: O(n · p²).
  init(
    features: Matrix<Double>, target: [Double]?, weights: [Double]?, centered: Bool, _ compute: ComputeContext
  ) throws {
    let p = features.columnCount
    // The features, the target if there is one, and ones.
    let width = p + (target == nil ? 1 : 2)
    let origin =
      centered
      ? sampleMeans(features, target, weights)
      : (features: [Double](repeating: 0, count: p), target: 0)
    let roots = weights?.map { $0.squareRoot() }
    var sums = [Double](repeating: 0, count: width * width)
    try features.withUnsafeElements { x in
      try target.withOptionalBuffer { y in
        try origin.features.withUnsafeBufferPointer { shift in
          try roots.withOptionalBuffer { scale in
            try sums.withUnsafeMutableBufferPointer { sums in
              nonisolated(unsafe) let (x, y) = (x.baseAddress!, y)
              nonisolated(unsafe) let (shift, scale) = (shift.baseAddress!, scale)
              try BlockedProducts.sumOverRowBlocks(
                rows: features.rowCount, workPerRow: width * width / 2, resultRows: width,
                resultColumns: width, into: sums.baseAddress!, stride: width, compute
              ) { rows, part, stride in
                addShiftedGram(
                  rows, p, width: width, x: x, shift: shift, y: y, yShift: origin.target, scale: scale,
                  into: part, stride: stride)
              }
            }
          }
        }
      }
    }
    let weight = sums[width * width - 1]
    weightSum = weight
    let remainder = sums[(width - 1) * width..<width * width - 1].map { $0 / weight }
    let correction = centered ? weight : 0
    featureMeans = centered ? zip(origin.features, remainder).map { $0 + $1 } : origin.features
    targetMean = centered && target != nil ? origin.target + remainder[p] : 0
    gram = Matrix(rowCount: p, columnCount: p) { gram in
      for row in 0..<p {
        for column in 0...row {
          let value = sums[row * width + column] - correction * remainder[row] * remainder[column]
          gram[row * p + column] = value
          gram[column * p + row] = value
        }
      }
    }
    guard target != nil else {
      (crossProducts, targetSquares) = ([], 0)
      return
    }
    crossProducts = (0..<p).map { sums[p * width + $0] - correction * remainder[p] * remainder[$0] }
    targetSquares = max(0, sums[p * width + p] - correction * remainder[p] * remainder[p])
  }

  /// Whether the features, and all sums over them, were finite.
  var areFinite: Bool {
    // x − x is zero for finite numbers only.
    (0..<gram.rowCount).allSatisfy { gram[$0, $0] - gram[$0, $0] == 0 } && targetSquares - targetSquares == 0
  }

  /// The intercept that belongs to coefficients.
  func intercept(_ coefficients: [Double]) -> Double {
    zip(coefficients, featureMeans).reduce(targetMean) { $0 - $1.0 * $1.1 }
  }
}

/// Estimates of the means from up to 64 rows, exact for a constant column.
private func sampleMeans(
  _ features: Matrix<Double>, _ target: [Double]?, _ weights: [Double]?
) -> (features: [Double], target: Double) {
  let (n, p) = (features.rowCount, features.columnCount)
  let step = max(1, n / 64)
  var rows = Array(stride(from: 0, to: n, by: step))
  if let weights {
    rows = rows.filter { weights[$0] > 0 }
    if rows.isEmpty, let first = weights.firstIndex(where: { $0 > 0 }) { rows = [first] }
  }
  guard let first = rows.first else { return ([Double](repeating: 0, count: p), 0) }
  let total = rows.reduce(0) { $0 + (weights?[$1] ?? 1) }
  var differences = [Double](repeating: 0, count: p)
  var targetDifference = 0.0
  var base: [Double] = []
  features.withUnsafeElements { x in
    base = Array(x[first * p..<(first + 1) * p])
    for row in rows {
      let share = (weights?[row] ?? 1) / total
      for column in 0..<p { differences[column] += share * (x[row * p + column] - base[column]) }
      if let target { targetDifference += share * (target[row] - target[first]) }
    }
  }
  for column in 0..<p {
    // A missing value must not spread to other columns' sums; it is found by its own.
    let mean = base[column] + differences[column]
    differences[column] = mean.isFinite ? mean : 0
  }
  return (differences, (target?[first] ?? 0) + targetDifference)
}

extension Optional where Wrapped == [Double] {
  /// Lends the elements, or nil.
  func withOptionalBuffer<Result>(_ body: (UnsafePointer<Double>?) throws -> Result) rethrows -> Result {
    guard let self else { return try body(nil) }
    return try self.withUnsafeBufferPointer { try body($0.baseAddress) }
  }
}
