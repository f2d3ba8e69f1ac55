/// The limits of a tree's growth, in numbers of the data at hand.
struct GrowthSettings: Sendable {
  /// The greatest number of splits between the root and a leaf.
  var maxDepth: Int
  /// A node of fewer rows is a leaf.
  var minSplitRows: Int
  /// The least number of rows of a leaf.
  var minLeafRows: Int
  /// The least weight of a leaf, as a share of the tree's.
  var minLeafShare: Double
  /// The number of features to look at for each split.
  var featuresPerSplit: Int
  /// The most leaves; nil for no limit. The splits that gain most come first.
  var maxLeafCount: Int?
  /// The least decrease of the impurity, weighted by the node's share of the tree's weight.
  var minImpurityDecrease: Double
  /// Whether thresholds are drawn at random, one a feature, as in extremely randomized trees.
  var hasRandomThresholds: Bool
  /// Whether inner nodes keep their values as leaves, so that shallower trees can be cut from a tree.
  var keepsInnerValues: Bool
}
