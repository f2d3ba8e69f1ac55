import ApusParallel

extension CompactForest {
  /// A threshold, and the node that has it.
  private struct DrawnThreshold {
    var value: Double
    var tree: UInt32
    var node: UInt32
  }

  /// Replaces thresholds that were drawn at random by their positions among all of the same feature.
  static func codeThresholds(
    _ thresholds: [[Double]], _ layout: NodeLayout, _ trees: inout [CompactTree], _ tables: inout [CodeTable],
    _ compute: ComputeContext
  ) throws {
    var nodes = trees.map(\.nodes.elements)
    var drawn = [[DrawnThreshold]](repeating: [], count: tables.count)
    for tree in trees.indices {
      for (node, value) in thresholds[tree].enumerated() where !value.isNaN {
        drawn[layout.feature(of: nodes[tree][node])].append(
          DrawnThreshold(value: value, tree: UInt32(tree), node: UInt32(node)))
      }
    }
    let unsorted = drawn
    drawn = try compute.map(tables.count) { unsorted[$0].sorted { $0.value < $1.value } }
    for feature in tables.indices where tables[feature].categoryCount == nil {
      var distinct: [Double] = []
      for threshold in drawn[feature] {
        if distinct.last != threshold.value { distinct.append(threshold.value) }
        let (tree, node) = (Int(threshold.tree), Int(threshold.node))
        let old = nodes[tree][node]
        nodes[tree][node] =
          layout.split(slot: layout.slot(of: old), code: UInt64(distinct.count - 1), isCategorical: false)
          | layout.offset(layout.offset(of: old))
      }
      tables[feature].boundaries = PackedArray(distinct)
    }
    for tree in trees.indices { trees[tree].nodes = PackedArray(nodes[tree]) }
  }
}
