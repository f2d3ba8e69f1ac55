import ApusParallel
import Foundation

/// How well two divisions of the same rows agree, such as clusters and known classes; the numbers that name
/// the parts do not matter.
///
/// ```swift
/// try ClusterAgreement(truth: [0, 0, 1, 1], clusters: [5, 5, 3, 3]).adjustedRandIndex  // 1
/// ```
public struct ClusterAgreement: Sendable {
  /// The number of rows in each part of the truth.
  private let truthCounts: [Double]
  /// The number of rows in each cluster.
  private let clusterCounts: [Double]
  /// The pairs of a part and a cluster that share rows, with their number.
  private let cells: [(truth: Int, cluster: Int, count: Double)]
  private let n: Double

  /// Counts how the divisions overlap.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when lengths differ.
  /// - Complexity: O(n).
  public init(truth: [Int32], clusters: [Int32]) throws {
    try checkLengths(truth.count, ("clusters", clusters.count))
    let (rows, truthCounts) = Self.number(truth)
    let (columns, clusterCounts) = Self.number(clusters)
    var counts: [Int: Double] = [:]
    for (row, column) in zip(rows, columns) { counts[row * clusterCounts.count + column, default: 0] += 1 }
    self.truthCounts = truthCounts
    self.clusterCounts = clusterCounts
    // Sorted, so that sums run in an order that the data fixes.
    cells = counts.sorted { $0.key < $1.key }
      .map { ($0.key / clusterCounts.count, $0.key % clusterCounts.count, $0.value) }
    n = Double(truth.count)
  }

  /// The share of pairs of rows on which both divisions agree: together in both, or apart in both.
  public var randIndex: Double {
    let pairs = pairCounts
    let agreeing = pairs.bothTogether + pairs.bothApart
    let all = agreeing + pairs.truthTogether + pairs.clusterTogether
    return all == agreeing ? 1 : agreeing / all
  }

  /// The Rand index corrected for chance (Hubert and Arabie, 1985): 1 for equal divisions, near 0 for random
  /// ones, possibly negative.
  public var adjustedRandIndex: Double {
    let (tp, tn, fn, fp) = pairCounts
    if fn == 0, fp == 0 { return 1 }
    return 2 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))
  }

  /// The geometric mean of pairwise precision and recall.
  public var fowlkesMallowsIndex: Double {
    let together = cells.reduce(0) { $0 + $1.count * $1.count } - n
    let predicted = clusterCounts.reduce(0) { $0 + $1 * $1 } - n
    let true_ = truthCounts.reduce(0) { $0 + $1 * $1 } - n
    return together == 0 ? 0 : (together / predicted).squareRoot() * (together / true_).squareRoot()
  }

  /// The mutual information of the divisions, in nats.
  public var mutualInformation: Double {
    let sum = cells.reduce(0) { sum, cell in
      let expected = truthCounts[cell.truth] * clusterCounts[cell.cluster]
      return sum + cell.count / n * (log(cell.count) + log(n) - log(expected))
    }
    // What is left over by rounding is nothing.
    return abs(sum) < Double.ulpOfOne ? 0 : max(0, sum)
  }

  /// Mutual information over the mean of the entropies: 0 for independent divisions, 1 for equal ones.
  public var normalizedMutualInformation: Double {
    if truthCounts.count <= 1, clusterCounts.count <= 1 { return 1 }
    let information = mutualInformation
    return information == 0 ? 0 : information / meanEntropy
  }

  /// Mutual information corrected for chance (Vinh, Epps and Bailey, 2010): near 0 for random divisions.
  ///
  /// - Complexity: O(parts × clusters × rows of the smaller).
  public var adjustedMutualInformation: Double {
    if truthCounts.count <= 1, clusterCounts.count <= 1 { return 1 }
    let information = mutualInformation
    let expected = expectedMutualInformation
    let room = meanEntropy - expected
    let divisor = room < 0 ? min(room, -Double.ulpOfOne) : max(room, Double.ulpOfOne)
    return (information - expected) / divisor
  }

  /// Whether clusters hold members of one class only: 1 − H(class | cluster) / H(class).
  public var homogeneity: Double {
    let entropy = Self.entropy(truthCounts, n)
    return entropy == 0 ? 1 : mutualInformation / entropy
  }

  /// Whether the members of a class are in one cluster: 1 − H(cluster | class) / H(cluster).
  public var completeness: Double {
    let entropy = Self.entropy(clusterCounts, n)
    return entropy == 0 ? 1 : mutualInformation / entropy
  }

  /// The harmonic mean of homogeneity and completeness.
  public var vMeasure: Double {
    let (h, c) = (homogeneity, completeness)
    return h + c == 0 ? 0 : 2 * h * c / (h + c)
  }

  /// Ordered pairs of rows: together in both, apart in both, together in the truth only, in the clusters only.
  private var pairCounts:
    (bothTogether: Double, bothApart: Double, truthTogether: Double, clusterTogether: Double)
  {
    let squares = cells.reduce(0) { $0 + $1.count * $1.count }
    let truthSquares = truthCounts.reduce(0) { $0 + $1 * $1 }
    let clusterSquares = clusterCounts.reduce(0) { $0 + $1 * $1 }
    return (
      squares - n, n * n - truthSquares - clusterSquares + squares, truthSquares - squares,
      clusterSquares - squares
    )
  }

  private var meanEntropy: Double {
    (Self.entropy(truthCounts, n) + Self.entropy(clusterCounts, n)) / 2
  }

  /// The mean of the mutual information over all divisions with the same part sizes, which is a sum over the
  /// hypergeometric distribution of each cell.
  private var expectedMutualInformation: Double {
    var logFactorial = [0.0]
    for i in 1...max(1, Int(n)) { logFactorial.append(logFactorial[i - 1] + log(Double(i))) }
    func lf(_ count: Double) -> Double { logFactorial[Int(count)] }
    var sum = 0.0
    for a in truthCounts {
      for b in clusterCounts {
        var count = max(1, a + b - n)
        while count <= min(a, b) {
          let information = count / n * (log(n * count) - log(a * b))
          let logProbability =
            lf(a) + lf(b) + lf(n - a) + lf(n - b) - lf(n) - lf(count) - lf(a - count) - lf(b - count)
            - lf(n - a - b + count)
          sum += information * exp(logProbability)
          count += 1
        }
      }
    }
    return sum
  }

  private static func entropy(_ counts: [Double], _ n: Double) -> Double {
    counts.count <= 1 ? 0 : counts.reduce(0) { $0 - $1 / n * (log($1) - log(n)) }
  }

  /// Numbers the distinct values from 0 in the order of their first rows, and counts each.
  private static func number(_ values: [Int32]) -> (numbers: [Int], counts: [Double]) {
    var known: [Int32: Int] = [:]
    var counts: [Double] = []
    let numbers = values.map { value in
      let number = known[value] ?? counts.count
      if number == counts.count {
        known[value] = number
        counts.append(0)
      }
      counts[number] += 1
      return number
    }
    return (numbers, counts)
  }
}
