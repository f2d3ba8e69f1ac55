import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

/// What a search may rely on: parts of a forest are the forests that would have been fitted on their own.
@Suite struct ForestSharingTests {
  private static func context(threads: Int = 2) -> FitContext {
    FitContext(seed: Seed(11), compute: ComputeContext(threads: threads))
  }

  @Test func fewerTreesAreTheFirstOfMore() throws {
    let data = try Dataset(bundled: "digits")
    var forest = RandomForestClassifier()
    forest.treeCount = 20
    let large = try forest.fit(data, Self.context())
    forest.treeCount = 7
    let small = try forest.fit(data, Self.context())
    #expect(large.prefix(treeCount: 7) == small)
    #expect(large.prefix(treeCount: 7).featureImportances == small.featureImportances)
    let staged = try large.predictProbabilities(data.features, treeCounts: [3, 7, 20], .sequential)
    #expect(staged[1] == (try small.predictProbabilities(data.features)))
    #expect(staged[2] == (try large.predictProbabilities(data.features)))
    #expect(throws: ApusError.self) {
      try large.predictProbabilities(data.features, treeCounts: [7, 3], .sequential)
    }
  }

  @Test func fewerExtraTreesPredictAsTheFirstOfMore() throws {
    let data = try Dataset(bundled: "diabetes")
    var forest = ExtraTreesRegressor()
    forest.treeCount = 12
    let large = try forest.fit(data, Self.context())
    forest.treeCount = 5
    let small = try forest.fit(data, Self.context())
    #expect(try large.prefix(treeCount: 5).predict(data.features) == small.predict(data.features))
  }

  @Test(arguments: [1, 2, 4, 8])
  func shallowerTreesAreTheTopsOfDeeperOnes(depth: Int) throws {
    let data = try Dataset(bundled: "digits")
    var forest = RandomForestClassifier()
    forest.treeCount = 8
    let deep = try forest.fit(data, Self.context(), keepingInnerValues: true)
    #expect(deep.limited(toDepth: 1000) == deep)
    forest.maxDepth = depth
    let shallow = try forest.fit(data, Self.context(), keepingInnerValues: true)
    let cut = try #require(deep.limited(toDepth: depth))
    #expect(cut == shallow)
    let plain = try forest.fit(data, Self.context())
    #expect(try cut.predictProbabilities(data.features) == plain.predictProbabilities(data.features))
    #expect(cut.featureImportances == plain.featureImportances)
    #expect(plain.limited(toDepth: depth) == nil)
  }

  @Test func shallowerWeightedRegressionTreesAreTheTopsOfDeeperOnes() throws {
    var data = try Dataset(bundled: "diabetes")
    data = try data.replacingWeights((0..<data.rowCount).map { 0.1 + Double($0 % 7) / 3 })
    for criterion in RegressionCriterion.allCases {
      var forest = RandomForestRegressor()
      forest.treeCount = 3
      forest.criterion = criterion
      let deep = try forest.fit(data, Self.context(), keepingInnerValues: true)
      forest.maxDepth = 3
      let shallow = try forest.fit(data, Self.context(), keepingInnerValues: true)
      #expect(deep.limited(toDepth: 3) == shallow)
    }
  }

  @Test func bitsAreTheSameOnAnyNumberOfThreads() throws {
    let digits = try Dataset(bundled: "digits")
    var classifier = RandomForestClassifier()
    classifier.treeCount = 9
    classifier.outOfBagScore = true
    let first = try classifier.fit(digits, Self.context(threads: 1))
    let diabetes = try Dataset(bundled: "diabetes")
    var regressor = ExtraTreesRegressor()
    regressor.treeCount = 9
    let second = try regressor.fit(diabetes, Self.context(threads: 1))
    for threads in [2, 4] {
      #expect(try classifier.fit(digits, Self.context(threads: threads)) == first)
      #expect(try regressor.fit(diabetes, Self.context(threads: threads)) == second)
      let context = ComputeContext(threads: threads)
      #expect(
        try first.predictProbabilities(digits.features, context)
          == first.predictProbabilities(digits.features, .sequential))
    }
  }

  /// Sums are whole numbers, so with all rows and all features a tree depends on ties alone, and those are
  /// broken by the order of features, not of rows.
  @Test func orderOfRowsDoesNotMatterToASingleTree() throws {
    let data = try Dataset(bundled: "diabetes")
    var random = Seed(3).randomSource()
    let shuffled = data.gatheringRows(random.permutation(data.rowCount))
    var tree = DecisionTreeRegressor()
    tree.maxDepth = 6
    #expect(try tree.fit(data, Self.context()) == tree.fit(shuffled, Self.context()))
  }

  @Test func storedModelsAreReadBackToTheBit() throws {
    let data = try Dataset(bundled: "wine")
    var forest = ExtraTreesClassifier()
    forest.treeCount = 5
    forest.bootstrap = true
    forest.outOfBagScore = true
    let model = try forest.fit(data, Self.context())
    let stored = try JSONEncoder().encode(model)
    #expect(try JSONDecoder().decode(ForestClassifierModel.self, from: stored) == model)
    let estimator = try JSONDecoder().decode(
      ExtraTreesClassifier.self, from: JSONEncoder().encode(forest))
    #expect(estimator == forest)
  }

  @Test func damagedModelsAreRefused() throws {
    let model = try DecisionTreeRegressor().fit(Dataset(bundled: "diabetes"), Self.context())
    let text = String(decoding: try JSONEncoder().encode(model), as: UTF8.self)
    // The root's bytes as zeros make it a leaf without value, or a split that leads nowhere.
    let start = try #require(text.range(of: "\"nodes\":\""))
    var damaged = text
    let root = start.upperBound..<text.index(start.upperBound, offsetBy: 8)
    damaged.replaceSubrange(root, with: "/////wAA")
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ForestRegressorModel.self, from: Data(damaged.utf8))
    }
  }
}
