import ApusParallel

/// What estimators of one or many trees have in common; the hyperparameters are explained where they are
/// declared, at the estimators themselves.
public protocol TreeEstimator: Estimator {
  /// The greatest number of splits between the root and a leaf.
  var maxDepth: Int? { get set }
  /// A node of fewer rows is not split.
  var minSamplesSplit: RowLimit { get set }
  /// The least number of rows of a leaf.
  var minSamplesLeaf: RowLimit { get set }
  /// The least weight of a leaf as a share of the tree's.
  var minWeightFractionLeaf: Double { get set }
  /// How many features to look at for each split.
  var maxFeatures: FeatureLimit { get set }
  /// The most leaves of a tree.
  var maxLeafNodes: Int? { get set }
  /// The least decrease of the impurity by a split.
  var minImpurityDecrease: Double { get set }
  /// Which thresholds to consider.
  var splits: SplitSearch { get set }
  /// The most bins of a column.
  var maxBins: Int { get set }
}

/// What estimators of many trees have in common.
public protocol ForestEstimator: TreeEstimator {
  /// The number of trees.
  var treeCount: Int { get set }
  /// Whether each tree is grown on rows drawn with replacement.
  var bootstrap: Bool { get set }
  /// How many rows to draw for a tree.
  var maxSamples: RowLimit? { get set }
  /// Whether to score each row by the trees that did not see it.
  var outOfBagScore: Bool { get set }
}

extension TreeEstimator {
  /// Checks each hyperparameter's range.
  public func validate() throws {
    try checkRanges()
    try checkTreeLimits()
  }

  func checkTreeLimits() throws {
    func refuse(_ message: String) throws {
      throw ApusError(.invalidParameter, "\(Self.name): \(message)")
    }
    if !minSamplesSplit.isValid || minSamplesSplit == .count(1) {
      try refuse("minSamplesSplit must be at least 2 or a share above 0, but is \(minSamplesSplit)")
    }
    if !minSamplesLeaf.isValid {
      try refuse("minSamplesLeaf must be at least 1 or a share above 0, but is \(minSamplesLeaf)")
    }
    if !maxFeatures.isValid {
      try refuse("maxFeatures must be at least 1 or a share above 0 and at most 1, but is \(maxFeatures)")
    }
  }

  static var growthParameters: [Hyperparameter<Self>] {
    [
      Hyperparameter("maxDepth", \Self.maxDepth, in: .atLeast(1), "Most splits from root to leaf."),
      Hyperparameter("minSamplesSplit", \Self.minSamplesSplit, "Fewer rows than this are not split."),
      Hyperparameter("minSamplesLeaf", \Self.minSamplesLeaf, "Least rows of a leaf."),
      Hyperparameter(
        "minWeightFractionLeaf", \Self.minWeightFractionLeaf, in: .between(0, 0.5),
        "Least weight of a leaf, as a share of the whole."),
      Hyperparameter("maxFeatures", \Self.maxFeatures, "Features looked at for each split."),
      Hyperparameter("maxLeafNodes", \Self.maxLeafNodes, in: .atLeast(2), "Most leaves of a tree."),
      Hyperparameter(
        "minImpurityDecrease", \Self.minImpurityDecrease, in: .atLeast(0), "Least gain of a split."),
    ]
  }

  static var splitParameters: [Hyperparameter<Self>] {
    [
      Hyperparameter("splits", \Self.splits, "Which thresholds to consider."),
      Hyperparameter("maxBins", \Self.maxBins, in: .between(2, 256), "Most bins of a column."),
    ]
  }

  func treePlan(
    treeCount: Int, bootstrap: Bool, maxSamples: RowLimit?
  ) -> ForestPlan {
    ForestPlan(
      treeCount: treeCount, maxDepth: maxDepth, minSamplesSplit: minSamplesSplit,
      minSamplesLeaf: minSamplesLeaf, minWeightFractionLeaf: minWeightFractionLeaf,
      maxFeatures: maxFeatures, maxLeafNodes: maxLeafNodes, minImpurityDecrease: minImpurityDecrease,
      bootstrap: bootstrap, maxSamples: maxSamples, splits: splits, maxBins: maxBins)
  }

  var plan: ForestPlan { treePlan(treeCount: 1, bootstrap: false, maxSamples: nil) }
}

extension ForestEstimator {
  /// Checks each hyperparameter's range, and those that go together.
  public func validate() throws {
    try checkRanges()
    try checkTreeLimits()
    if let maxSamples {
      guard maxSamples.isValid else {
        throw ApusError(
          .invalidParameter,
          "\(Self.name): maxSamples must be at least 1 or a share above 0 and at most 1, but is \(maxSamples)"
        )
      }
      guard bootstrap else {
        throw ApusError(
          .invalidParameter, "\(Self.name): maxSamples is given, but bootstrap is false",
          hint: "set bootstrap to true, or leave maxSamples out")
      }
    }
    guard bootstrap || !outOfBagScore else {
      throw ApusError(
        .invalidParameter, "\(Self.name): outOfBagScore needs trees that do not see all rows",
        hint: "set bootstrap to true")
    }
  }

  static var treeCountParameter: Hyperparameter<Self> {
    // More trees than that would be a mistake: their results alone would not fit into memory.
    Hyperparameter(
      "treeCount", \Self.treeCount, alias: "n_estimators", in: .between(1, 10_000_000), "Number of trees.")
  }

  static var samplingParameters: [Hyperparameter<Self>] {
    [
      Hyperparameter("bootstrap", \Self.bootstrap, "Whether trees draw their rows with replacement."),
      Hyperparameter("maxSamples", \Self.maxSamples, "Rows drawn for a tree; null for all."),
      Hyperparameter(
        "outOfBagScore", \Self.outOfBagScore, alias: "oob_score", "Whether to score rows not drawn."),
    ]
  }

  var plan: ForestPlan { treePlan(treeCount: treeCount, bootstrap: bootstrap, maxSamples: maxSamples) }
}
