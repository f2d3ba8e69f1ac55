import ApusLinearAlgebra
import ApusParallel

/// What a random forest regressor learnt.
public typealias RandomForestRegressorModel = ForestRegressorModel

/// Regression trees whose predictions are averaged: what random forests, extra-trees and decision trees learn.
public struct ForestRegressorModel: RegressionModel, Equatable {
  /// What the trees that did not see a training row predict for it; nil unless the fit was asked for it.
  public internal(set) var outOfBag: OutOfBagNumbers?

  let forest: CompactForest

  init(forest: CompactForest) { self.forest = forest }

  /// Reads a stored model.
  ///
  /// - Throws: `DecodingError` when its parts do not fit together.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    outOfBag = try container.decodeIfPresent(OutOfBagNumbers.self, forKey: .outOfBag)
    forest = try container.decode(CompactForest.self, forKey: .forest)
    guard !forest.hasClasses, forest.valueWidth == 1 else {
      throw DecodingError.dataCorruptedError(
        forKey: .forest, in: container, debugDescription: "the trees do not predict numbers")
    }
  }

  /// The number of features of the training data, `p`.
  public var featureCount: Int { forest.featureCount }

  /// The number of trees.
  public var treeCount: Int { forest.trees.count }

  /// The number of nodes of all trees, leaves included.
  public var nodeCount: Int { forest.nodeCount }

  /// How much the splits on each feature lowered the error: shares that sum to 1, averaged over the trees.
  public var featureImportances: [Double] { forest.featureImportances }

  /// The mean over the trees of the value of each row's leaf.
  ///
  /// A missing value (NaN) goes where those of the training rows went, or else with the greater part.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when the features do not have `p` columns; `cancelled`.
  public func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try predict(features, treeCounts: [treeCount], compute)[0]
  }

  /// The predictions as forests of the first few trees give them, in one pass over the rows.
  ///
  /// - Parameter treeCounts: ascending numbers of trees, from 1 to ``treeCount``.
  /// - Returns: `n` numbers for each number of trees, equal to what ``prefix(treeCount:)`` predicts.
  /// - Throws: as ``predict(_:_:)`` does.
  public func predict(
    _ features: Matrix<Double>, treeCounts: [Int], _ compute: ComputeContext
  ) throws -> [[Double]] {
    try checkFeatures(features)
    try forest.check(treeCounts)
    return zip(try forest.totals(features, treeCounts: treeCounts, compute), treeCounts).map { sums, count in
      sums.withUnsafeElements { $0.map { $0 / Double(count) } }
    }
  }

  /// The model of the first trees, the same to the bit as a fit of that many trees; without out-of-bag results.
  ///
  /// - Precondition: `treeCount` is from 1 to the number of trees.
  public func prefix(treeCount: Int) -> ForestRegressorModel {
    ForestRegressorModel(forest: forest.prefix(treeCount: treeCount))
  }

  /// The model whose trees have no node below a depth, the same to the bit as a fit with that `maxDepth`; nil
  /// unless the fit kept the values of inner nodes.
  package func limited(toDepth depth: Int) -> ForestRegressorModel? {
    forest.limited(toDepth: depth).map { ForestRegressorModel(forest: $0) }
  }
}
