import ApusParallel

/// Whether probabilities are to be believed: of rows predicted with about the same probability, the share that
/// is positive.
public struct CalibrationCurve: Sendable, Hashable, Codable {
  /// How the predicted probabilities are divided into bins.
  public enum Binning: String, Sendable, Hashable, Codable, CaseIterable {
    /// Bins of equal width.
    case uniform
    /// Bins of nearly equal numbers of rows.
    case quantile
  }

  /// The mean predicted probability of each bin that has rows.
  public var predicted: [Double]
  /// The share of positive rows in each bin that has rows.
  public var observed: [Double]
  /// The number of rows in each bin that has rows.
  public var counts: [Int]

  /// Computes the curve.
  ///
  /// - Parameters:
  ///   - isPositive: whether each row is of the class that is looked for.
  ///   - probabilities: the predicted probability of that class, from 0 to 1.
  ///   - bins: the number of bins; 5 unless given.
  ///   - binning: bins of equal width unless given.
  /// - Throws: ``ApusError`` of kind `shape` when lengths differ, of kind `data` for a number that is not a
  ///   probability, of kind `invalidParameter` for fewer than one bin.
  /// - Complexity: O(n log n).
  public init(
    isPositive: [Bool], probabilities: [Double], bins: Int = 5, binning: Binning = .uniform
  ) throws {
    try checkLengths(isPositive.count, ("probabilities", probabilities.count))
    guard bins >= 1 else {
      throw ApusError(.invalidParameter, "a calibration curve needs at least 1 bin, but was given \(bins)")
    }
    if let row = probabilities.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
      throw ApusError(.data, "the probability of row \(row + 1) is \(probabilities[row])")
    }
    let inner = Self.innerEdges(probabilities, bins, binning)
    var sums = [(predicted: Double, observed: Double, count: Int)](repeating: (0, 0, 0), count: bins)
    for (probability, positive) in zip(probabilities, isPositive) {
      // The number of inner edges below the probability.
      let bin = inner.partitioningIndex { $0 >= probability }
      sums[bin].predicted += probability
      sums[bin].observed += positive ? 1 : 0
      sums[bin].count += 1
    }
    let filled = sums.filter { $0.count > 0 }
    predicted = filled.map { $0.predicted / Double($0.count) }
    observed = filled.map { $0.observed / Double($0.count) }
    counts = filled.map(\.count)
  }

  private static func innerEdges(_ probabilities: [Double], _ bins: Int, _ binning: Binning) -> [Double] {
    let fractions = (1..<bins).map { Double($0) / Double(bins) }
    guard binning == .quantile, !probabilities.isEmpty else { return fractions }
    let sorted = probabilities.sorted()
    return fractions.map { fraction in
      let position = fraction * Double(sorted.count - 1)
      let below = Int(position)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
    }
  }
}

extension Array {
  /// The first index from which on a condition holds, which holds for a tail of the array.
  fileprivate func partitioningIndex(where holds: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
