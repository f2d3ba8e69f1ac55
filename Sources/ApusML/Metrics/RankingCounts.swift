import ApusParallel

/// The weight of true and false positives at each threshold that a score can be cut at; ROC and
/// precision-recall curves and their areas are made of it.
struct RankingCounts {
  /// The distinct scores of rows of positive weight, descending.
  private(set) var thresholds: [Double] = []
  /// The weight of negative rows that score at least each threshold.
  private(set) var falsePositives: [Double] = []
  /// The weight of positive rows that score at least each threshold.
  private(set) var truePositives: [Double] = []

  /// - Throws: ``ApusError`` of kind `data` for a score that is NaN.
  init(count: Int, scores: (Int) -> Double, isPositive: (Int) -> Bool, weights: [Double]?) throws {
    var rows: [(score: Double, positive: Double, negative: Double)] = []
    rows.reserveCapacity(count)
    for row in 0..<count {
      let weight = weights?[row] ?? 1
      guard weight > 0 else { continue }
      let score = scores(row)
      guard !score.isNaN else { throw ApusError(.data, "the score of row \(row + 1) is NaN") }
      rows.append(isPositive(row) ? (score, weight, 0) : (score, 0, weight))
    }
    rows.sort { $0.score > $1.score }
    var (positive, negative) = (0.0, 0.0)
    for (position, row) in rows.enumerated() {
      positive += row.positive
      negative += row.negative
      if position + 1 < rows.count, rows[position + 1].score == row.score { continue }
      thresholds.append(row.score)
      falsePositives.append(negative)
      truePositives.append(positive)
    }
  }

  /// The area under the ROC curve, by trapezoids; NaN unless there are both positive and negative rows.
  var areaUnderROC: Double {
    guard let positives = truePositives.last, let negatives = falsePositives.last, positives > 0,
      negatives > 0
    else { return .nan }
    var area = 0.0
    var (x, y) = (0.0, 0.0)
    for (false_, true_) in zip(falsePositives, truePositives) {
      area += (false_ - x) * (true_ + y) / 2
      (x, y) = (false_, true_)
    }
    return area / (positives * negatives)
  }

  /// The sum over the thresholds of precision times the gain in recall; 0 without positive rows.
  var averagePrecision: Double {
    guard let positives = truePositives.last, positives > 0 else { return 0 }
    var sum = 0.0
    var before = 0.0
    for (false_, true_) in zip(falsePositives, truePositives) {
      sum += (true_ - before) / positives * (true_ / (true_ + false_))
      before = true_
    }
    return sum
  }
}
