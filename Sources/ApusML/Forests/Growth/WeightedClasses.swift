import CKernels

/// Classes whose rows have weights, or that are split by entropy.
final class WeightedClasses: NodeStatistics {
  private let target: ClassTarget
  private let criterion: Int32
  private let room: SplitRoom
  private let allWeights: Room<Double>
  private let classes: Room<Int32>
  private let weights: Room<Double>
  private let totals: Room<Double>
  private(set) var weight = 0.0
  private(set) var isPure = false

  init(_ target: ClassTarget, criterion: ClassificationCriterion, room: SplitRoom) {
    self.target = target
    self.criterion = criterion == .gini ? 0 : 1
    self.room = room
    let n = target.classes.count
    allWeights = Room(n)
    classes = Room(n)
    weights = Room(n)
    totals = Room(target.classCount)
  }

  var valueWidth: Int { target.classCount }
  var greatestDecrease: Double { .infinity }
  var decreaseScale: Double { 1 }

  func beginTree(multiplicities: UnsafePointer<Int32>, count: Int) {
    let perClass = target.isBalancedPerTree ? target.balancedWeights(multiplicities, count: count) : nil
    for row in 0..<count {
      let multiplicity = Double(multiplicities[row])
      let own = target.weights.map { $0[row] } ?? 1
      if let perClass {
        allWeights.base[row] = multiplicity * target.roundedWeight(own * perClass[Int(target.classes[row])])
      } else {
        allWeights.base[row] = multiplicity * own
      }
    }
  }

  func enter(_ rows: UnsafePointer<UInt32>, count: Int) {
    totals.base.update(repeating: 0, count: target.classCount)
    weight = 0
    var first: Int32 = -1
    isPure = true
    target.classes.withUnsafeBufferPointer { allClasses in
      for index in 0..<count {
        let row = Int(rows[index])
        let (c, w) = (allClasses[row], allWeights.base[row])
        classes.base[index] = c
        weights.base[index] = w
        totals.base[Int(c)] += w
        weight += w
        if w > 0 {
          if first < 0 { first = c } else if c != first { isPure = false }
        }
      }
    }
  }

  func bestSplit(
    codes: UnsafePointer<UInt16>, count: Int, lowest: Int32, highest: Int32, missingCode: Int32,
    limits: forest_leaf_limits
  ) -> forest_split {
    var best = forest_split()
    forest_weighted_class_split(
      criterion, codes, Int64(count), lowest, highest, classes.base, weights.base, totals.base,
      Int32(target.classCount), weight, missingCode, limits, room.scratch, &best)
    return best
  }

  func score(ofRow index: Int) -> (sum: Double, weight: Double) {
    let leading = leadingClass(totals.base, count: target.classCount)
    let weight = weights.base[index]
    return (Int(classes.base[index]) == leading ? weight : 0, weight)
  }

  func leafValue(_ table: inout [Double]) -> UInt64 {
    classLeafValue(totals.base, count: target.classCount, weight: weight, isPure: isPure, &table)
  }
}
