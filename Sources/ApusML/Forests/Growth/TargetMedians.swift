import CKernels

/// Numbers split by the absolute error around medians.
///
/// For each feature the rows pass from one side to the other in the order of their codes, and a binary indexed
/// tree over the ranks of the targets keeps the median of either side: O(m log m) for m rows.
final class TargetMedians: NodeStatistics {
  private let target: NumberTarget
  private let room: SplitRoom
  private let shares: Room<forest_share>
  /// The node's rows: their shares in the order given, and the rank of each by target.
  private let here: Room<forest_share>
  private let ranks: Room<Int32>
  private let leftErrors: Room<Double>
  private let rightErrors: Room<Double>
  private let tree: Room<forest_share>
  private var byTarget: [(value: Int64, index: Int32)] = []
  private var nodeRows: UnsafePointer<UInt32>?
  private var error = 0.0
  private(set) var weight = 0.0
  private(set) var isPure = false

  init(_ target: NumberTarget, room: SplitRoom) {
    self.target = target
    self.room = room
    let n = target.values.count
    shares = Room(n)
    here = Room(n)
    ranks = Room(n)
    leftErrors = Room(n + 1)
    rightErrors = Room(n + 1)
    tree = Room(n + 1)
  }

  var valueWidth: Int { 1 }
  var greatestDecrease: Double { .infinity }
  var decreaseScale: Double { target.unit }

  func beginTree(multiplicities: UnsafePointer<Int32>, count: Int) {
    let terms = target.weighted ?? target.fixed
    for row in 0..<count {
      shares.base[row] = forest_share(
        sum: terms[row] &* Int64(multiplicities[row]),
        weight: Double(multiplicities[row]) * (target.weights.map { $0[row] } ?? 1))
    }
  }

  func enter(_ rows: UnsafePointer<UInt32>, count: Int) {
    nodeRows = rows
    weight = 0
    byTarget.removeAll(keepingCapacity: true)
    for index in 0..<count {
      let row = Int(rows[index])
      here.base[index] = shares.base[row]
      weight += shares.base[row].weight
      byTarget.append((target.fixed[row], Int32(index)))
    }
    byTarget.sort { $0 < $1 }
    for (rank, row) in byTarget.enumerated() { ranks.base[Int(row.index)] = Int32(rank) }
    isPure = byTarget.first.map { $0.value == byTarget.last!.value } ?? true
    error = isPure ? 0 : totalError(count)
  }

  private func totalError(_ count: Int) -> Double {
    var running = RunningMedian(tree: tree.base, byTarget: byTarget)
    for index in 0..<count { running.add(here.base[index], rank: Int(ranks.base[index])) }
    return running.error
  }

  func bestSplit(
    codes: UnsafePointer<UInt16>, count: Int, lowest: Int32, highest: Int32, missingCode: Int32,
    limits: forest_leaf_limits
  ) -> forest_split {
    forest_sort_codes(codes, Int64(count), lowest, highest, room.scratch)
    let order = UnsafeBufferPointer(start: room.scratch.pointee.order, count: count)
    var known = count
    while known > 0, Int32(order[known - 1] >> 32) == missingCode { known -= 1 }
    var best = forest_split(decrease: -1, last_left: 0, missing_left: known < count ? 0 : -1)
    sweep(order, known: known, missingLeft: false, limits, &best)
    if known < count { sweep(order, known: known, missingLeft: true, limits, &best) }
    return best
  }

  private func sweep(
    _ order: UnsafeBufferPointer<UInt64>, known: Int, missingLeft: Bool, _ limits: forest_leaf_limits,
    _ best: inout forest_split
  ) {
    func add(_ place: Int, _ running: inout RunningMedian) {
      let index = Int(UInt32(truncatingIfNeeded: order[place]))
      running.add(here.base[index], rank: Int(ranks.base[index]))
    }
    let missing = known..<order.count
    var right = RunningMedian(tree: tree.base, byTarget: byTarget)
    if !missingLeft { for place in missing { add(place, &right) } }
    for place in stride(from: known - 1, through: 0, by: -1) {
      rightErrors.base[place] = right.error
      add(place, &right)
    }
    var left = RunningMedian(tree: tree.base, byTarget: byTarget)
    if missingLeft { for place in missing { add(place, &left) } }
    for place in 0..<known {
      add(place, &left)
      if place + 1 < known, order[place] >> 32 == order[place + 1] >> 32 { continue }
      let leftRows = place + 1 + (missingLeft ? missing.count : 0)
      guard left.weight >= limits.weight, weight - left.weight >= limits.weight,
        leftRows >= limits.rows, order.count - leftRows >= limits.rows
      else { continue }
      let decrease = max(0, error - left.error - rightErrors.base[place])
      if decrease > best.decrease {
        best.decrease = decrease
        best.last_left = Int32(order[place] >> 32)
        if !missing.isEmpty { best.missing_left = missingLeft ? 1 : 0 }
      }
    }
  }

  func score(ofRow index: Int) -> (sum: Double, weight: Double) {
    (Double(here.base[index].sum), here.base[index].weight)
  }

  func leafValue(_ table: inout [Double]) -> UInt64 {
    table.append(median())
    return UInt64(table.count - 1)
  }

  /// The weighted median; the middle of two targets where the weight below equals the weight above.
  private func median() -> Double {
    guard let rows = nodeRows, !byTarget.isEmpty else { return 0 }
    func value(_ place: Int) -> Double { target.values[Int(rows[Int(byTarget[place].index)])] }
    var below = 0.0
    for place in byTarget.indices {
      below += here.base[Int(byTarget[place].index)].weight
      if 2 * below > weight { return value(place) }
      if 2 * below == weight, place + 1 < byTarget.count {
        return value(place) / 2 + value(place + 1) / 2
      }
    }
    return value(byTarget.count - 1)
  }
}

/// The absolute error of a growing set of targets around its median.
private struct RunningMedian {
  private let tree: UnsafeMutablePointer<forest_share>
  private let byTarget: [(value: Int64, index: Int32)]
  private let topBit: Int
  private(set) var weight = 0.0
  private var sum: Int64 = 0

  init(tree: UnsafeMutablePointer<forest_share>, byTarget: [(value: Int64, index: Int32)]) {
    self.tree = tree
    self.byTarget = byTarget
    topBit = 1 << (Int.bitWidth - 1 - max(1, byTarget.count).leadingZeroBitCount)
    tree.update(repeating: forest_share(), count: byTarget.count + 1)
  }

  mutating func add(_ share: forest_share, rank: Int) {
    weight += share.weight
    sum &+= share.sum
    var place = rank + 1
    while place <= byTarget.count {
      tree[place].sum &+= share.sum
      tree[place].weight += share.weight
      place += place & -place
    }
  }

  /// The error in fixed point.
  var error: Double {
    var place = 0
    var below = forest_share()
    var bit = topBit
    while bit > 0 {
      let next = place + bit
      if next <= byTarget.count, 2 * (below.weight + tree[next].weight) < weight {
        place = next
        below.sum &+= tree[next].sum
        below.weight += tree[next].weight
      }
      bit >>= 1
    }
    guard place < byTarget.count else { return 0 }
    let median = Double(byTarget[place].value)
    let above = Double(sum &- below.sum) - median * (weight - below.weight)
    return max(0, above + median * below.weight - Double(below.sum))
  }
}
