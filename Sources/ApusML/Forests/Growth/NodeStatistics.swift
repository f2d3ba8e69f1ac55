import CKernels

/// What a criterion knows of the node at hand: its weight, its value as a leaf, and how much a split gains.
///
/// An instance serves one tree at a time and keeps the node's rows gathered, so that each feature is read in
/// one pass. Sums are whole numbers or medians of sets, so none depends on the order of the rows.
protocol NodeStatistics: AnyObject, SendableMetatype {
  /// How many numbers a leaf's value has.
  var valueWidth: Int { get }

  /// Starts a tree in which row i counts `multiplicities[i]` times.
  func beginTree(multiplicities: UnsafePointer<Int32>, count: Int)

  /// Gathers the rows of a node.
  func enter(_ rows: UnsafePointer<UInt32>, count: Int)

  /// The total weight of the node.
  var weight: Double { get }

  /// Whether no split can gain anything, as all targets are equal.
  var isPure: Bool { get }

  /// A decrease that no split can surpass, in the units of ``bestSplit(codes:count:lowest:highest:missingCode:limits:)``.
  var greatestDecrease: Double { get }

  /// What turns a decrease of this criterion's splits into one of the weighted impurity.
  var decreaseScale: Double { get }

  /// The best split of the node on a feature; `codes` stand in the order of the rows given.
  func bestSplit(
    codes: UnsafePointer<UInt16>, count: Int, lowest: Int32, highest: Int32, missingCode: Int32,
    limits: forest_leaf_limits
  ) -> forest_split

  /// A number a row by which the categories of a column are put in order: the mean of the target, or whether
  /// the row is of the node's leading class; with the row's weight.
  func score(ofRow index: Int) -> (sum: Double, weight: Double)

  /// The node's value as a leaf: appended to `table`, or a number that stands for itself.
  func leafValue(_ table: inout [Double]) -> UInt64
}
