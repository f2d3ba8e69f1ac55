import ApusData
import ApusParallel

/// A random forest of classification trees (Breiman, 2001).
///
/// Each tree is grown on rows drawn with replacement and looks at a few random features for each split; their
/// votes are averaged. Missing values and categorical columns are taken as they are. Hyperparameters and
/// defaults are those of scikit-learn.
///
/// ```swift
/// var forest = RandomForestClassifier()
/// forest.treeCount = 200
/// forest.outOfBagScore = true
/// let model = try forest.fit(data)
/// print(model.outOfBag?.score ?? 0, model.featureImportances)
/// ```
///
/// Weights of rows and classes count in the splits and the leaves. Rows are drawn without regard to them, as
/// scikit-learn did before its version 1.9.
public struct RandomForestClassifier: ForestEstimator {
  /// The number of trees; 100 unless set.
  public var treeCount = 100
  /// What the splits lower; ``ClassificationCriterion/gini`` unless set.
  public var criterion = ClassificationCriterion.gini
  /// The greatest number of splits between the root and a leaf; nil (the default) for no limit.
  public var maxDepth: Int?
  /// A node of fewer rows is not split; 2 unless set.
  public var minSamplesSplit: RowLimit = 2
  /// The least number of rows of a leaf; 1 unless set.
  public var minSamplesLeaf: RowLimit = 1
  /// The least weight of a leaf as a share of the tree's, from 0 to 0.5; 0 unless set.
  public var minWeightFractionLeaf = 0.0
  /// How many features to look at for each split; the square root of their number unless set.
  public var maxFeatures: FeatureLimit = .squareRoot
  /// The most leaves of a tree; nil (the default) for no limit. The splits that gain most then come first.
  public var maxLeafNodes: Int?
  /// A split must lower the impurity, weighted by the node's share of the rows, by at least this; 0 unless set.
  public var minImpurityDecrease = 0.0
  /// Whether each tree is grown on rows drawn with replacement, rather than on all; true unless set.
  public var bootstrap = true
  /// How many rows to draw for a tree; nil (the default) for as many as there are. Needs ``bootstrap``.
  public var maxSamples: RowLimit?
  /// Whether to score each row by the trees that did not see it. Needs ``bootstrap``.
  public var outOfBagScore = false
  /// How much the rows of each class count, beside their own weights; the same unless set.
  public var classWeight = ForestClassWeight.uniform
  /// Which thresholds to consider; ``SplitSearch/automatic`` unless set.
  public var splits = SplitSearch.automatic
  /// The most bins of a column, from 2 to 256 (the default), where splits are searched by histogram.
  public var maxBins = 256

  /// The estimator with its default hyperparameters.
  public init() {}

  /// `random-forest-classifier`.
  public static let name = "random-forest-classifier"
  /// What it does.
  public static let summary =
    "Averages classification trees grown on random samples of rows and features."
  /// Classification.
  public static let task = LearningTask.classification

  /// The hyperparameters, in the order in which they are listed to users.
  public static let hyperparameters: [Hyperparameter<Self>] =
    [treeCountParameter]
    + [Hyperparameter("criterion", \Self.criterion, "What the splits lower.")]
    + growthParameters
    + samplingParameters
    + [Hyperparameter("classWeight", \Self.classWeight, "How much each class counts.")]
    + splitParameters

  /// Grows the trees, each with a seed of its own.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for hyperparameters, `data` when the target does not
  ///   suit, `cancelled`.
  /// - Complexity: O(n log n) for each feature looked at in a balanced tree and each tree.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ForestClassifierModel {
    try fit(data, context, keepingInnerValues: false)
  }

  /// Fits as ``fit(_:_:)`` does; the model can then be cut to lesser depths, for searches over `maxDepth`.
  package func fit(
    _ data: Dataset, _ context: FitContext, keepingInnerValues keepsInnerValues: Bool
  ) throws -> ForestClassifierModel {
    try validate()
    var plan = plan
    plan.keepsInnerValues = keepsInnerValues
    return try plan.fitClassifier(
      data, criterion: criterion, classWeight: classWeight, outOfBagScore: outOfBagScore,
      estimator: Self.name, context)
  }
}
