import ApusLinearAlgebra
import ApusParallel
import Foundation

/// The scores of predicted probabilities and rankings, with the definitions of scikit-learn.
///
/// Classes are positions `0 ..< k`; probabilities are `n × k`, one column a class. All throw ``ApusError``:
/// `shape` when lengths differ, `data` for a class without a column or a probability that is NaN.
public enum ProbabilityScores {
  /// How a ranking score of two classes is carried over to more.
  public enum MulticlassRanking: Sendable, Hashable {
    /// Each class against all others.
    case oneVersusRest
    /// Each pair of classes, on the rows of these two alone (Hand and Till, 2001).
    case oneVersusOne
  }

  /// The mean of `−log p` of the true class; probabilities are kept away from 0 and 1 by the machine's
  /// epsilon.
  public static func logLoss(
    truth: [Int32], probabilities: Matrix<Double>, weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, probabilities, weights)
    let k = probabilities.columnCount
    return probabilities.withUnsafeElements { p in
      weightedMean(truth.count, weights) { row in
        let probability = p[row * k + Int(truth[row])]
        return -log(min(max(probability, Double.ulpOfOne), 1 - Double.ulpOfOne))
      }
    }
  }

  /// The mean squared distance of the probabilities from the truth; halved for two classes.
  public static func brierScore(
    truth: [Int32], probabilities: Matrix<Double>, weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, probabilities, weights)
    let k = probabilities.columnCount
    let mean = probabilities.withUnsafeElements { p in
      weightedMean(truth.count, weights) { row in
        var sum = 0.0
        for column in 0..<k {
          let distance = p[row * k + column] - (column == Int(truth[row]) ? 1 : 0)
          sum += distance * distance
        }
        return sum
      }
    }
    return k <= 2 ? mean / 2 : mean
  }

  /// The area under the ROC curve of one class: the chance that a row of the class scores above another row,
  /// ties counting half. NaN unless there are rows of both kinds.
  ///
  /// - Complexity: O(n log n).
  public static func rocAUC(
    isPositive: [Bool], scores: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try checkLengths(isPositive.count, ("scores", scores.count), ("weights", weights?.count))
    return try RankingCounts(
      count: scores.count, scores: { scores[$0] }, isPositive: { isPositive[$0] }, weights: weights
    ).areaUnderROC
  }

  /// The area under the ROC curve for several classes, averaged.
  ///
  /// - Parameters:
  ///   - truth: the class of each row.
  ///   - scores: `n × k`: how much each row looks like each class; probabilities or decision values.
  ///   - ranking: each class against the rest, or each pair of classes.
  ///   - weightedByShare: whether classes, or pairs, count by their share of the rows instead of equally.
  ///   - weights: how much each row counts.
  /// - Returns: the mean; NaN when the area of some class is not defined because it, or every other, is
  ///   absent.
  public static func rocAUC(
    truth: [Int32], scores: Matrix<Double>, ranking: MulticlassRanking, weightedByShare: Bool = false,
    weights: [Double]? = nil
  ) throws -> Double {
    try check(truth, scores, weights)
    switch ranking {
    case .oneVersusRest: return try oneVersusRest(truth, scores, weightedByShare, weights)
    case .oneVersusOne: return try oneVersusOne(truth, scores, weightedByShare, weights)
    }
  }

  /// The area under the precision-recall curve of one class, by steps: `Σ (Rᵢ − Rᵢ₋₁) Pᵢ`.
  public static func averagePrecision(
    isPositive: [Bool], scores: [Double], weights: [Double]? = nil
  ) throws -> Double {
    try checkLengths(isPositive.count, ("scores", scores.count), ("weights", weights?.count))
    return try RankingCounts(
      count: scores.count, scores: { scores[$0] }, isPositive: { isPositive[$0] }, weights: weights
    ).averagePrecision
  }

  private static func oneVersusRest(
    _ truth: [Int32], _ scores: Matrix<Double>, _ weightedByShare: Bool, _ weights: [Double]?
  ) throws -> Double {
    let k = scores.columnCount
    var (sum, total) = (0.0, 0.0)
    for index in 0..<k {
      let area = try scores.withUnsafeElements { elements in
        try RankingCounts(
          count: truth.count, scores: { elements[$0 * k + index] },
          isPositive: { truth[$0] == Int32(index) }, weights: weights
        ).areaUnderROC
      }
      var share = 1.0
      if weightedByShare { share = shareOfRows(truth, weights) { $0 == Int32(index) } }
      // A class that is absent has share 0 and no area.
      if share > 0 { sum += share * area }
      total += share
    }
    return sum / total
  }

  private static func oneVersusOne(
    _ truth: [Int32], _ scores: Matrix<Double>, _ weightedByShare: Bool, _ weights: [Double]?
  ) throws -> Double {
    let k = scores.columnCount
    var (sum, total) = (0.0, 0.0)
    for first in 0..<k {
      for second in first + 1..<k {
        let rows = truth.indices.filter { truth[$0] == Int32(first) || truth[$0] == Int32(second) }
        let pairWeights = weights.map { weights in rows.map { weights[$0] } }
        let areas = try [first, second].map { index in
          try RankingCounts(
            count: rows.count, scores: { scores[rows[$0], index] },
            isPositive: { truth[rows[$0]] == Int32(index) }, weights: pairWeights
          ).areaUnderROC
        }
        var share = 1.0
        if weightedByShare {
          share = shareOfRows(truth, weights) { $0 == Int32(first) || $0 == Int32(second) }
        }
        if share > 0 { sum += share * (areas[0] + areas[1]) / 2 }
        total += share
      }
    }
    return sum / total
  }

  private static func shareOfRows(
    _ truth: [Int32], _ weights: [Double]?, _ isMeant: (Int32) -> Bool
  ) -> Double {
    weightedMean(truth.count, weights) { isMeant(truth[$0]) ? 1 : 0 }
  }

  private static func check(_ truth: [Int32], _ scores: Matrix<Double>, _ weights: [Double]?) throws {
    try checkLengths(
      truth.count, ("rows of probabilities", scores.rowCount), ("weights", weights?.count))
    guard !truth.isEmpty else { throw ApusError(.data, "there are no rows to score") }
    if let row = truth.firstIndex(where: { $0 < 0 || Int($0) >= scores.columnCount }) {
      throw ApusError(
        .data, "row \(row + 1) has class \(truth[row]), but there are \(scores.columnCount) columns")
    }
    if let index = scores.withUnsafeElements({ $0.firstIndex(where: \.isNaN) }) {
      throw ApusError(.data, "the probability of row \(index / scores.columnCount + 1) is NaN")
    }
  }
}
