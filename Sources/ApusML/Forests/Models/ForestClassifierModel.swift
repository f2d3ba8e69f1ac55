import ApusLinearAlgebra
import ApusParallel

/// What a random forest classifier learnt.
public typealias RandomForestClassifierModel = ForestClassifierModel

/// Classification trees that vote: what random forests, extra-trees and decision trees learn.
///
/// A row's probabilities are the mean over the trees of the class shares in the leaf that it falls into.
public struct ForestClassifierModel: ProbabilityModel, Equatable {
  /// The labels of the classes, `k` of them.
  public let classLabels: [String]
  /// What the trees that did not see a training row say about it; nil unless the fit was asked for it.
  public internal(set) var outOfBag: OutOfBagClasses?

  let forest: CompactForest

  init(classLabels: [String], forest: CompactForest) {
    self.classLabels = classLabels
    self.forest = forest
  }

  /// Reads a stored model.
  ///
  /// - Throws: `DecodingError` when its parts do not fit together.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    classLabels = try container.decode([String].self, forKey: .classLabels)
    outOfBag = try container.decodeIfPresent(OutOfBagClasses.self, forKey: .outOfBag)
    forest = try container.decode(CompactForest.self, forKey: .forest)
    guard forest.hasClasses, forest.valueWidth == classLabels.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .forest, in: container, debugDescription: "the trees do not predict the model's classes")
    }
  }

  /// The number of features of the training data, `p`.
  public var featureCount: Int { forest.featureCount }

  /// The number of trees.
  public var treeCount: Int { forest.trees.count }

  /// The number of nodes of all trees, leaves included.
  public var nodeCount: Int { forest.nodeCount }

  /// How much the splits on each feature lowered the impurity: shares that sum to 1, averaged over the trees.
  ///
  /// They favour features of many values, and tell of the training data alone; permutation importance on held
  /// out rows does not.
  public var featureImportances: [Double] { forest.featureImportances }

  /// The mean over the trees of the class shares in each row's leaf, `n × k`; rows sum to 1.
  ///
  /// A missing value (NaN) goes where those of the training rows went, or else with the greater part.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when the features do not have `p` columns; `cancelled`.
  public func predictProbabilities(
    _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    try predictProbabilities(features, treeCounts: [treeCount], compute)[0]
  }

  /// The class of the largest probability of each row; the first of equals.
  ///
  /// - Throws: as ``predictProbabilities(_:_:)`` does.
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    let votes = try checkedTotals(features, treeCounts: [treeCount], compute)[0]
    let width = classLabels.count
    return votes.withUnsafeElements { votes in
      (0..<features.rowCount).map { row in
        Int32(leadingClass(votes.baseAddress! + row * width, count: width))
      }
    }
  }

  /// The probabilities as forests of the first few trees give them, in one pass over the rows.
  ///
  /// - Parameter treeCounts: ascending numbers of trees, from 1 to ``treeCount``.
  /// - Returns: a matrix `n × k` for each number of trees, equal to what ``prefix(treeCount:)`` predicts.
  /// - Throws: as ``predictProbabilities(_:_:)`` does.
  public func predictProbabilities(
    _ features: Matrix<Double>, treeCounts: [Int], _ compute: ComputeContext
  ) throws -> [Matrix<Double>] {
    let totals = try checkedTotals(features, treeCounts: treeCounts, compute)
    return zip(totals, treeCounts).map { votes, count in
      var shares = votes
      shares.withUnsafeMutableElements { for index in $0.indices { $0[index] /= Double(count) } }
      return shares
    }
  }

  private func checkedTotals(
    _ features: Matrix<Double>, treeCounts: [Int], _ compute: ComputeContext
  ) throws -> [Matrix<Double>] {
    try checkFeatures(features)
    try forest.check(treeCounts)
    return try forest.totals(features, treeCounts: treeCounts, compute)
  }

  /// The model of the first trees, the same to the bit as a fit of that many trees; without out-of-bag results.
  ///
  /// - Precondition: `treeCount` is from 1 to the number of trees.
  public func prefix(treeCount: Int) -> ForestClassifierModel {
    ForestClassifierModel(classLabels: classLabels, forest: forest.prefix(treeCount: treeCount))
  }

  /// The model whose trees have no node below a depth, the same to the bit as a fit with that `maxDepth`; nil
  /// unless the fit kept the values of inner nodes.
  package func limited(toDepth depth: Int) -> ForestClassifierModel? {
    forest.limited(toDepth: depth).map { ForestClassifierModel(classLabels: classLabels, forest: $0) }
  }
}
