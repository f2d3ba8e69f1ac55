/// The classes that trees learn, with weights rounded so that sums of them are exact.
struct ClassTarget: Sendable {
  let classes: [Int32]
  let classCount: Int
  /// The weight of each row, a multiple of ``weightUnit``; nil where all are 1.
  let weights: [Double]?
  /// Whether each tree weights its classes by their number in its own sample.
  let isBalancedPerTree: Bool
  private let weightUnit: Double

  /// - Parameters:
  ///   - classes: the class of each row.
  ///   - classCount: the number of classes.
  ///   - weights: the weight of each row.
  ///   - isBalancedPerTree: whether classes are weighted anew for each tree.
  ///   - drawCount: the most rows that a tree counts, repetitions included.
  init(classes: [Int32], classCount: Int, weights: [Double]?, isBalancedPerTree: Bool, drawCount: Int) {
    self.classes = classes
    self.classCount = classCount
    self.isBalancedPerTree = isBalancedPerTree
    // A tree's own class weights are at most its number of draws.
    let largest = (weights?.max() ?? 1) * (isBalancedPerTree ? Double(drawCount) : 1)
    let unit = FixedPoint.weightUnit(largest: largest, drawCount: drawCount)
    weightUnit = unit
    self.weights = weights.flatMap { all in
      all.allSatisfy { $0 == 1 } ? nil : all.map { ($0 / unit).rounded() * unit }
    }
  }

  /// Whether rows count whole numbers of times, few enough for 32 bits.
  func hasWholeCounts(drawCount: Int) -> Bool {
    guard !isBalancedPerTree else { return false }
    guard let weights else { return drawCount < 1 << 30 }
    let largest = weights.max() ?? 0
    return largest * Double(drawCount) < 0x1p30 && weights.allSatisfy { $0 == $0.rounded() }
  }

  /// A weight as a multiple of the unit.
  func roundedWeight(_ weight: Double) -> Double { (weight / weightUnit).rounded() * weightUnit }

  /// Weights that make all classes of a tree's sample count the same.
  func balancedWeights(_ multiplicities: UnsafePointer<Int32>, count: Int) -> [Double] {
    var counts = [Int](repeating: 0, count: classCount)
    for row in 0..<count { counts[Int(classes[row])] += Int(multiplicities[row]) }
    let total = Double(counts.reduce(0, +))
    let occurring = Double(counts.count { $0 > 0 })
    return counts.map { $0 == 0 ? 0 : total / (occurring * Double($0)) }
  }
}
