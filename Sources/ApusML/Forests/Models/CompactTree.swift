/// One tree of a forest: eight bytes a node, in the order root, left subtree, right subtree.
struct CompactTree: Sendable, Equatable, Codable {
  /// The nodes, as ``NodeLayout`` packs them.
  var nodes: PackedArray<UInt64>
  /// Leaf values: one number each for regression; for classification the class shares of leaves that are not
  /// pure.
  var values: PackedArray<Double>
  /// The sets of categories that go left, of five words each.
  var sets: PackedArray<UInt64>
  /// The decrease of the impurity by the splits on each feature, as shares of the tree's whole.
  var importances: PackedArray<Double>
  /// For each node its value as a leaf and its decrease of the impurity, where they are kept.
  var inner: InnerNodes?

  /// What it takes to cut a tree to a lesser depth.
  struct InnerNodes: Sendable, Equatable, Codable {
    var values: PackedArray<UInt64>
    var decreases: PackedArray<Double>
  }

  /// The number of leaves.
  var leafCount: Int { (nodes.elements.count + 1) / 2 }
}
