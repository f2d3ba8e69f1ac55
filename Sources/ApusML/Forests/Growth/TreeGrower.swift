import ApusParallel
import CKernels

/// Grows the trees of a forest, one at a time, in memory that is used again for each.
///
/// A node's random numbers come from its path: the tree's seed, hashed with every turn from the root. So a
/// tree that is limited to a depth is the top of a deeper one.
///
/// Unchecked Sendable: a grower is handed from thread to thread by a pool, and used by one at a time.
final class TreeGrower<Statistics: NodeStatistics>: @unchecked Sendable {
  let data: BinnedFeatures
  let settings: GrowthSettings
  let layout: NodeLayout
  let statistics: Statistics
  let finder: SplitFinder<Statistics>
  let rows: Room<UInt32>
  private let buffer: Room<UInt32>
  private let sides: Room<UInt8>
  let constantWordCount: Int

  init(data: BinnedFeatures, settings: GrowthSettings, layout: NodeLayout, statistics: Statistics) {
    self.data = data
    self.settings = settings
    self.layout = layout
    self.statistics = statistics
    finder = SplitFinder(data: data, settings: settings, statistics: statistics)
    rows = Room(data.rowCount)
    buffer = Room(data.rowCount)
    sides = Room(CategorySet.wordCount * 64)
    constantWordCount = (data.bins.count + 63) / 64
  }

  /// Grows a tree.
  ///
  /// - Parameters:
  ///   - seed: the tree's seed.
  ///   - multiplicities: how often each row counts; those that count 0 times are left out.
  func grow(seed: Seed, multiplicities: [Int32]) -> GrownTree {
    var record = TreeRecord(layout: layout)
    multiplicities.withUnsafeBufferPointer {
      statistics.beginTree(multiplicities: $0.baseAddress!, count: $0.count)
    }
    var count = 0
    for (row, multiplicity) in multiplicities.enumerated() where multiplicity > 0 {
      rows.base[count] = UInt32(truncatingIfNeeded: row)
      count += 1
    }
    statistics.enter(rows.base, count: count)
    let treeWeight = statistics.weight
    finder.limits.weight = max(settings.minLeafShare * treeWeight, .leastNormalMagnitude)
    let root = PendingNode(start: 0, count: count, seed: seed.derived("root"), depth: 0, parent: -1)
    if let maxLeafCount = settings.maxLeafCount {
      growBestFirst(root, maxLeafCount: maxLeafCount, treeWeight: treeWeight, into: &record)
    } else {
      growDepthFirst(root, treeWeight: treeWeight, into: &record)
    }
    return record.finished(featureCount: data.bins.count, keepsInnerValues: settings.keepsInnerValues)
  }

  private func growDepthFirst(_ root: PendingNode, treeWeight: Double, into record: inout TreeRecord) {
    var pending = [root]
    var constants = [UInt64](repeating: 0, count: constantWordCount)
    while let node = pending.popLast() {
      let place = pending.count * constantWordCount
      if node.parent >= 0 {
        record.nodes[node.parent] |= layout.offset(record.nodes.count - node.parent)
      }
      statistics.enter(rows.base + node.start, count: node.count)
      let split = constants.withUnsafeMutableBufferPointer {
        findSplit(node, treeWeight: treeWeight, constants: $0.baseAddress! + place)
      }
      // The value is read before the partition moves the rows that the statistics have gathered.
      let value = split == nil || settings.keepsInnerValues ? statistics.leafValue(&record.values) : 0
      let index = record.nodes.count
      guard let split else {
        append(layout.leaf(value: value), value: value, decrease: 0, threshold: .nan, to: &record)
        continue
      }
      let (leftCount, packed) = partition(node, split, &record)
      append(packed, value: value, decrease: split.decrease, threshold: split.threshold, to: &record)
      // Both children start from what is known of their parent.
      while constants.count < place + 2 * constantWordCount { constants.append(0) }
      for word in 0..<constantWordCount {
        constants[place + constantWordCount + word] = constants[place + word]
      }
      pending.append(node.right(leftCount: leftCount, parent: index))
      pending.append(node.left(leftCount: leftCount))
    }
  }

  /// Adds a node; its decrease is in the criterion's own units, as only shares of the tree's are made of it.
  func append(
    _ node: UInt64, value: UInt64, decrease: Double, threshold: Double, to record: inout TreeRecord
  ) {
    record.nodes.append(node)
    record.decreases.append(decrease)
    if settings.hasRandomThresholds { record.thresholds.append(threshold) }
    if settings.keepsInnerValues { record.innerValues.append(value) }
  }

  /// The split of a node whose rows the statistics have gathered; nil for a leaf.
  func findSplit(
    _ node: PendingNode, treeWeight: Double, constants: UnsafeMutablePointer<UInt64>
  ) -> NodeSplit? {
    let weight = statistics.weight
    guard node.depth < settings.maxDepth, node.count >= settings.minSplitRows,
      node.count >= 2 * settings.minLeafRows, weight >= 2 * settings.minLeafShare * treeWeight,
      !statistics.isPure,
      let split = finder.split(
        rows.base + node.start, count: node.count, seed: node.seed, constants: constants)
    else { return nil }
    let improvement = split.decrease * statistics.decreaseScale / treeWeight
    return improvement + .ulpOfOne >= settings.minImpurityDecrease ? split : nil
  }

  /// Moves the rows that go left before the others; returns how many they are, and the node, packed.
  func partition(
    _ node: PendingNode, _ split: NodeSplit, _ record: inout TreeRecord
  ) -> (leftCount: Int, packed: UInt64) {
    let column = finder.columns.base[split.feature]
    var rule = forest_sides(last_left: split.lastLeft, also_left: -1, table: nil)
    if split.missingLeft == true { rule.also_left = column.missingCode }
    if let set = split.set {
      let bins = data.bins[split.feature]
      for code in 0...bins.codeCount { sides.base[code] = set.contains(code) ? 1 : 0 }
      sides.base[bins.codeCount] = split.missingLeft == true ? 1 : 0
      rule.table = UnsafePointer(sides.base)
    }
    var firstRight: Int32 = 0
    let start = rows.base + node.start
    let leftCount = Int(
      column.bytes.map {
        forest_partition_8($0, start, Int64(node.count), rule, buffer.base, &firstRight)
      } ?? forest_partition_16(column.words!, start, Int64(node.count), rule, buffer.base, &firstRight))
    // Where the node has no missing values, later ones go with the greater part of its rows.
    let missingLeft = split.missingLeft ?? (2 * leftCount > node.count)
    let slot = 2 * split.feature + (missingLeft ? 1 : 0)
    if let set = split.set {
      let number = record.sets.count / CategorySet.wordCount
      record.sets +=
        set.completed(
          codeCount: data.bins[split.feature].codeCount, occurring: split.occurring, missingLeft: missingLeft
        ).array
      return (leftCount, layout.split(slot: slot, code: UInt64(number), isCategorical: true))
    }
    // Neighbours in the node that are neighbours among all codes, as they mostly are near the root.
    let cut =
      firstRight == split.lastLeft + 1
      ? split.lastLeft : data.bins[split.feature].cut(after: split.lastLeft, before: firstRight)
    return (leftCount, layout.split(slot: slot, code: UInt64(cut), isCategorical: false))
  }
}

/// A node whose rows are known and that is still to be split or made a leaf.
struct PendingNode {
  var start: Int
  var count: Int
  var seed: Seed
  var depth: Int
  /// The node whose right child it is, or −1.
  var parent: Int

  func left(leftCount: Int) -> PendingNode {
    PendingNode(start: start, count: leftCount, seed: seed.derived(0), depth: depth + 1, parent: -1)
  }

  func right(leftCount: Int, parent: Int) -> PendingNode {
    PendingNode(
      start: start + leftCount, count: count - leftCount, seed: seed.derived(1), depth: depth + 1,
      parent: parent)
  }
}
