import CKernels

/// Numbers split by the squared error or the Poisson deviance around means, with sums in fixed point.
final class TargetSums: NodeStatistics {
  private let target: NumberTarget
  private let criterion: Int32
  private let room: SplitRoom
  private let fixed: Room<Int64>
  private let shares: Room<forest_share>
  private let sums: Room<Int64>
  private let weights: Room<Double>
  /// The sums over the node's rows; one element.
  private let total: Room<forest_share>
  private(set) var isPure = false

  init(_ target: NumberTarget, isPoisson: Bool, room: SplitRoom) {
    self.target = target
    criterion = isPoisson ? 1 : 0
    self.room = room
    let n = target.values.count
    fixed = Room(target.fixed)
    shares = Room(n)
    sums = Room(n)
    weights = Room(n)
    total = Room(repeating: forest_share(), count: 1)
  }

  var valueWidth: Int { 1 }
  var weight: Double { total.base.pointee.weight }
  var greatestDecrease: Double { .infinity }
  var decreaseScale: Double { criterion == 0 ? target.unit * target.unit : target.unit }

  func beginTree(multiplicities: UnsafePointer<Int32>, count: Int) {
    (target.weighted ?? target.fixed).withUnsafeBufferPointer { terms in
      target.weights.withOptionalBuffer { weights in
        for row in 0..<count {
          let multiplicity = multiplicities[row]
          shares.base[row] = forest_share(
            sum: terms[row] &* Int64(multiplicity), weight: Double(multiplicity) * (weights?[row] ?? 1))
        }
      }
    }
  }

  func enter(_ rows: UnsafePointer<UInt32>, count: Int) {
    isPure =
      forest_gather_shares(
        shares.base, fixed.base, rows, Int64(count), sums.base, weights.base, total.base) != 0
  }

  func bestSplit(
    codes: UnsafePointer<UInt16>, count: Int, lowest: Int32, highest: Int32, missingCode: Int32,
    limits: forest_leaf_limits
  ) -> forest_split {
    var best = forest_split()
    let total = total.base.pointee
    forest_regression_split(
      criterion, codes, Int64(count), lowest, highest, sums.base, weights.base, Double(total.sum),
      total.weight, missingCode, limits, room.scratch, &best)
    return best
  }

  func score(ofRow index: Int) -> (sum: Double, weight: Double) {
    (Double(sums.base[index]), weights.base[index])
  }

  func leafValue(_ table: inout [Double]) -> UInt64 {
    let total = total.base.pointee
    let weight = total.weight
    table.append(weight > 0 ? target.centre + Double(total.sum) * target.unit / weight : target.centre)
    return UInt64(table.count - 1)
  }
}
