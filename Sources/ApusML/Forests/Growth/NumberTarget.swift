import ApusParallel

/// The numbers that trees learn, in fixed point around a centre.
struct NumberTarget: Sendable {
  /// The targets as given.
  let values: [Double]
  /// `(y − centre) / unit`, rounded: equal where targets are equal.
  let fixed: [Int64]
  /// The same times the row's weight; nil where all weights are 1.
  let weighted: [Int64]?
  /// The weight of each row, rounded so that sums are exact; nil where all are 1.
  let weights: [Double]?
  let centre: Double
  let unit: Double

  /// - Parameters:
  ///   - values: the target of each row.
  ///   - weights: the weight of each row.
  ///   - isCentred: whether to subtract the mean, for precision; Poisson's logarithms need the numbers as they
  ///     are.
  ///   - drawCount: the most rows that a tree counts, repetitions included.
  init(values: [Double], weights: [Double]?, isCentred: Bool, drawCount: Int) {
    self.values = values
    let ownWeights = weights.flatMap { $0.allSatisfy { $0 == 1 } ? nil : $0 }
    let largestWeight = ownWeights?.max() ?? 1
    let weightUnit = FixedPoint.weightUnit(largest: largestWeight, drawCount: drawCount)
    self.weights = ownWeights.map { $0.map { ($0 / weightUnit).rounded() * weightUnit } }
    let centre = isCentred ? Self.roundCentre(of: values) : 0
    let reach = values.reduce(0) { max($0, abs($1 - centre)) }
    let unit = FixedPoint.sumUnit(
      largest: min(reach * max(1, largestWeight), .greatestFiniteMagnitude), drawCount: drawCount)
    self.centre = centre
    self.unit = unit
    // Only the product of huge targets and huge weights can pass the bound.
    let bound = 0x1p61 / Double(drawCount)
    func rounded(_ number: Double) -> Int64 { Int64(max(-bound, min(bound, number)).rounded()) }
    fixed = values.map { rounded(($0 - centre) / unit) }
    weighted = self.weights.map { weights in
      zip(values, weights).map { rounded(($0 - centre) / unit * $1) }
    }
  }

  /// The middle of the range, rounded to few digits so that subtracting it rounds nothing for whole numbers.
  private static func roundCentre(of values: [Double]) -> Double {
    guard let low = values.min(), let high = values.max() else { return 0 }
    let range = high / 2 - low / 2
    let middle = low / 2 + high / 2
    guard range > 0 else { return low }
    let step = FixedPoint.sumUnit(largest: range, drawCount: 1) * 0x1p41
    let centre = (middle / step).rounded() * step
    return centre.isFinite ? centre : 0
  }
}
