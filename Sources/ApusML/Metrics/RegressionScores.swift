import ApusParallel
import Foundation

/// The scores of predicted numbers, with the definitions of scikit-learn.
///
/// Each takes the true and the predicted number of each row and, where rows count differently, their weights.
/// All throw ``ApusError``: `shape` when lengths differ, `data` without rows.
public enum RegressionScores {
  /// The coefficient of determination: `1 − Σ w (y − ŷ)² / Σ w (y − ȳ)²`. For a constant truth it is 1 when
  /// the predictions are exact and 0 otherwise; for fewer than two rows it is NaN.
  public static func r2(truth: [Double], predicted: [Double], weights: [Double]? = nil) throws -> Double {
    try check(truth, predicted, weights)
    guard truth.count >= 2 else { return .nan }
    guard weights != nil else {
      // Searches over fast models spend most of their time here.
      let mean = interleavedMean(truth) { $0 }
      let spread = interleavedMean(truth) { ($0 - mean) * ($0 - mean) }
      return explained(meanSquaredDifference(truth, predicted), of: spread)
    }
    let mean = weightedMean(truth.count, weights) { truth[$0] }
    return explained(
      weightedMean(truth.count, weights) { squared(truth[$0] - predicted[$0]) },
      of: weightedMean(truth.count, weights) { squared(truth[$0] - mean) })
  }

  /// As ``r2(truth:predicted:weights:)``, but a constant error of the predictions does not count.
  public static func explainedVariance(
    truth: [Double], predicted: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, predicted, weights)
    let mean = weightedMean(truth.count, weights) { truth[$0] }
    let bias = weightedMean(truth.count, weights) { truth[$0] - predicted[$0] }
    return explained(
      weightedMean(truth.count, weights) { squared(truth[$0] - predicted[$0] - bias) },
      of: weightedMean(truth.count, weights) { squared(truth[$0] - mean) })
  }

  /// The mean of the squared errors.
  public static func meanSquaredError(
    truth: [Double], predicted: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, predicted, weights)
    guard weights != nil else { return meanSquaredDifference(truth, predicted) }
    return weightedMean(truth.count, weights) { squared(truth[$0] - predicted[$0]) }
  }

  /// The root of the mean of the squared errors, in the units of the target.
  public static func rootMeanSquaredError(
    truth: [Double], predicted: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try meanSquaredError(truth: truth, predicted: predicted, weights: weights).squareRoot()
  }

  /// The mean of the absolute errors.
  public static func meanAbsoluteError(
    truth: [Double], predicted: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, predicted, weights)
    return weightedMean(truth.count, weights) { abs(truth[$0] - predicted[$0]) }
  }

  /// The mean of the absolute errors relative to the truth; 0.1 means ten per cent. A truth of 0 counts as
  /// the machine's epsilon.
  public static func meanAbsolutePercentageError(
    truth: [Double], predicted: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, predicted, weights)
    return weightedMean(truth.count, weights) {
      abs(truth[$0] - predicted[$0]) / max(abs(truth[$0]), Double.ulpOfOne)
    }
  }

  /// The mean of the squared differences of `log(1 + y)`.
  ///
  /// - Throws: also ``ApusError`` of kind `data` when a number is −1 or less.
  public static func meanSquaredLogError(
    truth: [Double], predicted: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, predicted, weights)
    if let value = (truth + predicted).first(where: { $0 <= -1 }) {
      throw ApusError(.data, "the mean squared logarithmic error is not defined for \(value)")
    }
    return weightedMean(truth.count, weights) { squared(log1p(truth[$0]) - log1p(predicted[$0])) }
  }

  /// The median of the absolute errors; with weights, the error at which half of the weight is reached,
  /// averaged over the two errors where it is reached exactly.
  public static func medianAbsoluteError(
    truth: [Double], predicted: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, predicted, weights)
    let errors = zip(truth, predicted).map { abs($0 - $1) }
    guard !errors.contains(where: \.isNaN) else { return .nan }
    return weightedMedian(errors, weights: weights)
  }

  /// The largest absolute error; weights play no part in it.
  public static func maxError(truth: [Double], predicted: [Double]) throws -> Double {
    try check(truth, predicted, nil)
    return zip(truth, predicted).reduce(0) { $1.0.isNaN || $1.1.isNaN ? .nan : max($0, abs($1.0 - $1.1)) }
  }

  private static func check(_ truth: [Double], _ predicted: [Double], _ weights: [Double]?) throws {
    try checkLengths(truth.count, ("predictions", predicted.count), ("weights", weights?.count))
    guard !truth.isEmpty else { throw ApusError(.data, "there are no rows to score") }
  }

  private static func squared(_ x: Double) -> Double { x * x }

  private static func explained(_ error: Double, of spread: Double) -> Double {
    if spread != 0 { return 1 - error / spread }
    return error == 0 ? 1 : error.isNaN ? .nan : 0
  }
}

/// The mean of a function of eight elements at a time, summed in eight interleaved runs.
@inline(__always)
private func interleavedMean(_ values: [Double], _ term: (SIMD8<Double>) -> SIMD8<Double>) -> Double {
  let count = values.count
  let whole = count & ~7
  var sums = SIMD8<Double>.zero
  values.withUnsafeBytes { bytes in
    for index in stride(from: 0, to: whole, by: 8) {
      sums += term(bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self))
    }
  }
  for index in whole..<count { sums[index - whole] += term(SIMD8(repeating: values[index]))[0] }
  return sums.sum() / Double(count)
}

/// The mean of the squared differences of two lists of one length.
private func meanSquaredDifference(_ first: [Double], _ second: [Double]) -> Double {
  let count = first.count
  let whole = count & ~7
  var sums = SIMD8<Double>.zero
  first.withUnsafeBytes { first in
    second.withUnsafeBytes { second in
      for index in stride(from: 0, to: whole, by: 8) {
        let difference =
          first.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self)
          - second.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self)
        sums += difference * difference
      }
    }
  }
  for index in whole..<count {
    let difference = first[index] - second[index]
    sums[index - whole] += difference * difference
  }
  return sums.sum() / Double(count)
}

/// The mean of a function of the row, weighted, summed in row order.
func weightedMean(_ count: Int, _ weights: [Double]?, _ value: (Int) -> Double) -> Double {
  var sum = 0.0
  guard let weights else {
    for row in 0..<count { sum += value(row) }
    return sum / Double(count)
  }
  var total = 0.0
  for row in 0..<count {
    sum += weights[row] * value(row)
    total += weights[row]
  }
  return sum / total
}

/// The median; with weights the mean of the smallest value at which half of the weight is reached from below
/// and the one from above.
private func weightedMedian(_ values: [Double], weights: [Double]?) -> Double {
  let order = values.indices.sorted { values[$0] < values[$1] }
  guard let weights else {
    let middle = order.count / 2
    return order.count % 2 == 1
      ? values[order[middle]] : (values[order[middle - 1]] + values[order[middle]]) / 2
  }
  let half = weights.reduce(0, +) / 2
  var reached = 0.0
  for (position, row) in order.enumerated() where weights[row] > 0 {
    reached += weights[row]
    if reached > half { return values[row] }
    if reached == half {
      let next = order[(position + 1)...].first { weights[$0] > 0 }
      return next.map { (values[row] + values[$0]) / 2 } ?? values[row]
    }
  }
  return .nan
}
