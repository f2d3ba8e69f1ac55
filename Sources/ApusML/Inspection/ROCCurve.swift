import ApusParallel

/// The receiver operating characteristic: what share of the positive rows is found for what share of false
/// alarms, as the threshold falls.
public struct ROCCurve: Sendable, Hashable, Codable {
  /// The share of negative rows that score at least each threshold; begins with 0.
  public var falsePositiveRates: [Double]
  /// The share of positive rows that score at least each threshold; begins with 0.
  public var truePositiveRates: [Double]
  /// The thresholds, descending; the first, above every score, is infinite.
  public var thresholds: [Double]
  /// The area under the curve, by trapezoids.
  public var area: Double

  /// Computes the curve.
  ///
  /// - Parameters:
  ///   - isPositive: whether each row is of the class that is looked for.
  ///   - scores: how much each row looks like it: a probability or a decision value.
  ///   - weights: how much each row counts.
  /// - Throws: ``ApusError`` of kind `shape` when lengths differ, of kind `data` for a score that is NaN.
  ///   Rates of rows of which there are none are NaN.
  /// - Complexity: O(n log n).
  public init(isPositive: [Bool], scores: [Double], weights: [Double]? = nil) throws {
    try checkLengths(isPositive.count, ("scores", scores.count), ("weights", weights?.count))
    let counts = try RankingCounts(
      count: scores.count, scores: { scores[$0] }, isPositive: { isPositive[$0] }, weights: weights)
    falsePositiveRates = Self.rates(counts.falsePositives)
    truePositiveRates = Self.rates(counts.truePositives)
    thresholds = [.infinity] + counts.thresholds
    area = counts.areaUnderROC
  }

  private static func rates(_ counts: [Double]) -> [Double] {
    let total = counts.last ?? 0
    return ([0] + counts).map { total > 0 ? $0 / total : .nan }
  }
}

/// Precision against recall as the threshold rises; tells more than a ROC curve where positive rows are rare.
public struct PrecisionRecallCurve: Sendable, Hashable, Codable {
  /// Of the rows that score at least each threshold, the share that is positive; ends with 1.
  public var precisions: [Double]
  /// The share of positive rows that score at least each threshold; ends with 0.
  public var recalls: [Double]
  /// The thresholds, ascending; one fewer than points.
  public var thresholds: [Double]
  /// The area by steps: `Σ (Rᵢ − Rᵢ₋₁) Pᵢ`.
  public var averagePrecision: Double

  /// Computes the curve.
  ///
  /// - Parameters:
  ///   - isPositive: whether each row is of the class that is looked for.
  ///   - scores: how much each row looks like it: a probability or a decision value.
  ///   - weights: how much each row counts.
  /// - Throws: ``ApusError`` of kind `shape` when lengths differ, of kind `data` for a score that is NaN.
  /// - Complexity: O(n log n).
  public init(isPositive: [Bool], scores: [Double], weights: [Double]? = nil) throws {
    try checkLengths(isPositive.count, ("scores", scores.count), ("weights", weights?.count))
    let counts = try RankingCounts(
      count: scores.count, scores: { scores[$0] }, isPositive: { isPositive[$0] }, weights: weights)
    let positives = counts.truePositives.last ?? 0
    // Without positive rows recall is 1 by convention, as in scikit-learn.
    recalls = counts.truePositives.reversed().map { positives > 0 ? $0 / positives : 1 } + [0]
    precisions =
      zip(counts.truePositives, counts.falsePositives).reversed().map { $0 / ($0 + $1) } + [1]
    thresholds = counts.thresholds.reversed()
    averagePrecision = counts.averagePrecision
  }
}
