import ApusData
import ApusParallel

/// A single regression tree (Breiman, Friedman, Olshen and Stone, 1984).
///
/// The model is a forest of one tree. Of splits that gain the same, one is taken at random, by the fit's seed.
///
/// ```swift
/// var tree = DecisionTreeRegressor()
/// tree.minSamplesLeaf = 5
/// let model = try tree.fit(data)
/// ```
public struct DecisionTreeRegressor: TreeEstimator {
  /// What the splits lower; ``RegressionCriterion/squaredError`` unless set.
  public var criterion = RegressionCriterion.squaredError
  /// The greatest number of splits between the root and a leaf; nil (the default) for no limit.
  public var maxDepth: Int?
  /// A node of fewer rows is not split; 2 unless set.
  public var minSamplesSplit: RowLimit = 2
  /// The least number of rows of a leaf; 1 unless set.
  public var minSamplesLeaf: RowLimit = 1
  /// The least weight of a leaf as a share of the tree's, from 0 to 0.5; 0 unless set.
  public var minWeightFractionLeaf = 0.0
  /// How many features to look at for each split; all unless set.
  public var maxFeatures: FeatureLimit = .all
  /// The most leaves of a tree; nil (the default) for no limit. The splits that gain most then come first.
  public var maxLeafNodes: Int?
  /// A split must lower the impurity, weighted by the node's share of the rows, by at least this; 0 unless set.
  public var minImpurityDecrease = 0.0
  /// Which thresholds to consider; ``SplitSearch/automatic`` unless set.
  public var splits = SplitSearch.automatic
  /// The most bins of a column, from 2 to 256 (the default), where splits are searched by histogram.
  public var maxBins = 256

  /// The estimator with its default hyperparameters.
  public init() {}

  /// `decision-tree-regressor`.
  public static let name = "decision-tree-regressor"
  /// What it does.
  public static let summary =
    "Splits the rows by one feature at a time into leaves of like numbers."
  /// Regression.
  public static let task = LearningTask.regression

  /// The hyperparameters, in the order in which they are listed to users.
  public static let hyperparameters: [Hyperparameter<Self>] =
    [Hyperparameter("criterion", \Self.criterion, "What the splits lower.")]
    + growthParameters
    + splitParameters

  /// Grows the tree.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for hyperparameters, `data` when the target does not
  ///   suit, `cancelled`.
  /// - Complexity: O(n log n) for each feature looked at in a balanced tree.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ForestRegressorModel {
    try fit(data, context, keepingInnerValues: false)
  }

  /// Fits as ``fit(_:_:)`` does; the model can then be cut to lesser depths, for searches over `maxDepth`.
  package func fit(
    _ data: Dataset, _ context: FitContext, keepingInnerValues keepsInnerValues: Bool
  ) throws -> ForestRegressorModel {
    try validate()
    var plan = plan
    plan.keepsInnerValues = keepsInnerValues
    return try plan.fitRegressor(
      data, criterion: criterion, outOfBagScore: false, estimator: Self.name, context)
  }
}
