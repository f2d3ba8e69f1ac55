import ApusData
import ApusParallel

/// A model of trees from which models of fewer or shallower trees can be taken.
protocol LimitableForest: FittedModel {
  /// The model of the first trees.
  func prefix(treeCount: Int) -> Self
  /// The model whose trees have no node below a depth; nil unless the fit kept the values of inner nodes.
  func limited(toDepth depth: Int) -> Self?
}

extension ForestClassifierModel: LimitableForest {}
extension ForestRegressorModel: LimitableForest {}

/// A forest whose candidates share trees: a forest of 200 trees begins with those of 25, 50 and 100, and a
/// tree without a limit of depth has at its top the tree of depth 4.
protocol SharedForest: ForestEstimator where Model: LimitableForest {
  /// Fits; the model can then be cut to lesser depths if inner nodes keep their values.
  func fit(_ data: Dataset, _ context: FitContext, keepingInnerValues: Bool) throws -> Model
}

extension SharedForest {
  /// Candidates that differ in the number of trees or their depth grow together, but for what is not a matter
  /// of tops and beginnings: out-of-bag scores, and the depth of trees that are limited in leaves.
  var sharedRepresentative: Self {
    guard !outOfBagScore else { return self }
    var representative = self
    representative.treeCount = 1
    if maxLeafNodes == nil { representative.maxDepth = nil }
    return representative
  }

  /// Grows the most and deepest trees that any candidate asks for, and takes the others' from them.
  ///
  /// - Throws: what the fit throws.
  static func growJointly(
    _ estimators: [Self], on data: Dataset, _ context: FitContext
  ) throws -> [Result<Model, any Error>] {
    guard var whole = estimators.first else { return [] }
    for estimator in estimators {
      try estimator.validate()
      whole.treeCount = max(whole.treeCount, estimator.treeCount)
      whole.maxDepth = estimator.maxDepth.flatMap { depth in whole.maxDepth.map { max($0, depth) } }
    }
    let cutsDepth = estimators.contains { $0.maxDepth != whole.maxDepth }
    let model = try whole.fit(data, context, keepingInnerValues: cutsDepth)
    var byDepth: [Int?: Model] = [whole.maxDepth: model]
    return try estimators.map { estimator in
      if let depth = estimator.maxDepth, byDepth[depth] == nil {
        try context.compute.cancellation.check()
        byDepth[depth] = model.limited(toDepth: depth)
      }
      // A model that could not be cut is left to be fitted alone.
      guard let cut = byDepth[estimator.maxDepth] else { return Result { try estimator.fit(data, context) } }
      return .success(
        estimator.treeCount == whole.treeCount ? cut : cut.prefix(treeCount: estimator.treeCount))
    }
  }
}

extension RandomForestClassifier: SharedForest, JointlyFittable {
  /// Candidates that differ in the number of trees or their depth grow together.
  public var jointRepresentative: RandomForestClassifier { sharedRepresentative }

  /// Grows the most and deepest trees that any candidate asks for, and takes the others' from them.
  ///
  /// - Throws: what the fit throws.
  public static func fitJointly(
    _ estimators: [RandomForestClassifier], on data: Dataset, _ context: FitContext
  ) throws -> [Result<ForestClassifierModel, any Error>] {
    try growJointly(estimators, on: data, context)
  }
}

extension RandomForestRegressor: SharedForest, JointlyFittable {
  /// Candidates that differ in the number of trees or their depth grow together.
  public var jointRepresentative: RandomForestRegressor { sharedRepresentative }

  /// Grows the most and deepest trees that any candidate asks for, and takes the others' from them.
  ///
  /// - Throws: what the fit throws.
  public static func fitJointly(
    _ estimators: [RandomForestRegressor], on data: Dataset, _ context: FitContext
  ) throws -> [Result<ForestRegressorModel, any Error>] {
    try growJointly(estimators, on: data, context)
  }
}

extension ExtraTreesClassifier: SharedForest, JointlyFittable {
  /// Candidates that differ in the number of trees or their depth grow together.
  public var jointRepresentative: ExtraTreesClassifier { sharedRepresentative }

  /// Grows the most and deepest trees that any candidate asks for, and takes the others' from them.
  ///
  /// - Throws: what the fit throws.
  public static func fitJointly(
    _ estimators: [ExtraTreesClassifier], on data: Dataset, _ context: FitContext
  ) throws -> [Result<ForestClassifierModel, any Error>] {
    try growJointly(estimators, on: data, context)
  }
}

extension ExtraTreesRegressor: SharedForest, JointlyFittable {
  /// Candidates that differ in the number of trees or their depth grow together.
  public var jointRepresentative: ExtraTreesRegressor { sharedRepresentative }

  /// Grows the most and deepest trees that any candidate asks for, and takes the others' from them.
  ///
  /// - Throws: what the fit throws.
  public static func fitJointly(
    _ estimators: [ExtraTreesRegressor], on data: Dataset, _ context: FitContext
  ) throws -> [Result<ForestRegressorModel, any Error>] {
    try growJointly(estimators, on: data, context)
  }
}
