import ApusParallel

extension TreeGrower {
  /// Splits, again and again, the leaf whose split gains most, until there are `maxLeafCount` leaves.
  func growBestFirst(
    _ root: PendingNode, maxLeafCount: Int, treeWeight: Double, into record: inout TreeRecord
  ) {
    var nodes: [Candidate] = []
    var frontier: [Int] = []
    func add(_ node: PendingNode, constants: [UInt64]) {
      var candidate = Candidate(node: node, constants: constants)
      statistics.enter(rows.base + node.start, count: node.count)
      candidate.split = candidate.constants.withUnsafeMutableBufferPointer {
        findSplit(node, treeWeight: treeWeight, constants: $0.baseAddress!)
      }
      candidate.value = statistics.leafValue(&candidate.table)
      if candidate.split != nil { frontier.append(nodes.count) }
      nodes.append(candidate)
    }
    add(root, constants: [UInt64](repeating: 0, count: constantWordCount))
    var leafCount = 1
    while leafCount < maxLeafCount, let next = takeBest(&frontier, nodes) {
      let candidate = nodes[next]
      let (leftCount, packed) = partition(candidate.node, candidate.split!, &record)
      nodes[next].packed = packed
      nodes[next].left = nodes.count
      add(candidate.node.left(leftCount: leftCount), constants: candidate.constants)
      nodes[next].right = nodes.count
      add(candidate.node.right(leftCount: leftCount, parent: -1), constants: candidate.constants)
      leafCount += 1
    }
    emit(nodes, into: &record)
  }

  /// Removes the node whose split gains most from the frontier, the oldest of equals.
  private func takeBest(_ frontier: inout [Int], _ nodes: [Candidate]) -> Int? {
    guard
      let place = frontier.indices.min(by: { left, right in
        let (a, b) = (nodes[frontier[left]].split!.decrease, nodes[frontier[right]].split!.decrease)
        return a > b || (a == b && frontier[left] < frontier[right])
      })
    else { return nil }
    return frontier.remove(at: place)
  }

  /// Writes the nodes in the order root, left subtree, right subtree.
  private func emit(_ nodes: [Candidate], into record: inout TreeRecord) {
    var pending = [(index: 0, parent: -1)]
    while let (index, parent) = pending.popLast() {
      let node = nodes[index]
      let place = record.nodes.count
      if parent >= 0 { record.nodes[parent] |= layout.offset(place - parent) }
      let isSplit = node.left >= 0
      let needsValue = !isSplit || settings.keepsInnerValues
      let value = needsValue ? node.value(in: &record.values, width: statistics.valueWidth) : 0
      append(
        isSplit ? node.packed : layout.leaf(value: value), value: value,
        decrease: isSplit ? node.split!.decrease : 0,
        threshold: isSplit ? node.split!.threshold : .nan, to: &record)
      if isSplit {
        pending.append((node.right, place))
        pending.append((node.left, -1))
      }
    }
  }
}

/// A node of a tree that grows best first.
private struct Candidate {
  var node: PendingNode
  var constants: [UInt64]
  var split: NodeSplit?
  var packed: UInt64 = 0
  var left = -1
  var right = -1
  var value: UInt64 = 0
  var table: [Double] = []

  init(node: PendingNode, constants: [UInt64]) {
    self.node = node
    self.constants = constants
  }

  /// The value with its table moved to the end of the tree's.
  func value(in values: inout [Double], width: Int) -> UInt64 {
    guard !table.isEmpty else { return value }
    let shifted = value + UInt64(values.count / width)
    values += table
    return shifted
  }
}
