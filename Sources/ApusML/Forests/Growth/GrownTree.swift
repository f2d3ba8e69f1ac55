/// A tree as its grower leaves it.
struct GrownTree: Sendable {
  var tree: CompactTree
  /// The threshold of each node's split on a number, where thresholds are drawn at random; else empty.
  var thresholds: [Double]
}

/// The nodes of a tree that is being grown, in the order root, left subtree, right subtree.
struct TreeRecord {
  let layout: NodeLayout
  var nodes: [UInt64] = []
  var values: [Double] = []
  var sets: [UInt64] = []
  var thresholds: [Double] = []
  var innerValues: [UInt64] = []
  var decreases: [Double] = []

  /// The finished tree.
  func finished(featureCount: Int, keepsInnerValues: Bool) -> GrownTree {
    GrownTree(
      tree: CompactTree(
        nodes: PackedArray(nodes), values: PackedArray(values), sets: PackedArray(sets),
        importances: PackedArray(
          impurityImportances(
            nodes: nodes, decreases: decreases, layout: layout, featureCount: featureCount)),
        inner: keepsInnerValues
          ? CompactTree.InnerNodes(values: PackedArray(innerValues), decreases: PackedArray(decreases)) : nil),
      thresholds: thresholds)
  }
}

/// The decrease of the impurity by the splits on each feature, as shares of the whole; all 0 without splits.
func impurityImportances(
  nodes: [UInt64], decreases: [Double], layout: NodeLayout, featureCount: Int
) -> [Double] {
  var importances = [Double](repeating: 0, count: featureCount)
  for (node, decrease) in zip(nodes, decreases) where layout.isSplit(node) {
    importances[layout.feature(of: node)] += decrease
  }
  let total = importances.reduce(0, +)
  return total > 0 ? importances.map { $0 / total } : importances
}
