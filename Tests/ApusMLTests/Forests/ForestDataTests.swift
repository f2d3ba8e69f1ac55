import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

/// Weights, missing values, categories and data at the edge of what can be learnt.
@Suite struct ForestDataTests {
  private static let context = FitContext(seed: Seed(5), compute: .sequential)

  @Test func weightsAreDuplicatedRows() throws {
    let data = try Dataset(bundled: "diabetes")
    let weights = (0..<data.rowCount).map { Double($0 % 4) }
    let weighted = try data.replacingWeights(weights)
    let duplicated = data.gatheringRows(
      (0..<data.rowCount).flatMap { row in Array(repeating: row, count: row % 4) })
    var tree = DecisionTreeRegressor()
    tree.maxDepth = 5
    for criterion in RegressionCriterion.allCases {
      tree.criterion = criterion
      let first = try tree.fit(weighted, Self.context).predict(data.features)
      let second = try tree.fit(duplicated, Self.context).predict(data.features)
      #expect(relativeDifference(first, second) < 1e-12)
    }
    let digits = try Dataset(bundled: "digits")
    let rows = (0..<digits.rowCount).flatMap { row in Array(repeating: row, count: 1 + row % 3) }
    let heavy = try digits.replacingWeights((0..<digits.rowCount).map { Double(1 + $0 % 3) })
    var classifier = DecisionTreeClassifier()
    classifier.maxFeatures = .count(5)
    for criterion in [ClassificationCriterion.gini, .entropy] {
      classifier.criterion = criterion
      let first = try classifier.fit(heavy, Self.context)
      let second = try classifier.fit(digits.gatheringRows(rows), Self.context)
      #expect(
        try first.predictProbabilities(digits.features) == second.predictProbabilities(digits.features))
    }
  }

  @Test func fractionalWeightsGiveTheTreesOfTheirMultiples() throws {
    let data = try Dataset(bundled: "digits")
    let whole = try data.replacingWeights((0..<data.rowCount).map { Double(1 + $0 % 3) })
    let halves = try data.replacingWeights((0..<data.rowCount).map { Double(1 + $0 % 3) / 2 })
    var tree = DecisionTreeClassifier()
    tree.maxDepth = 6
    #expect(
      try tree.fit(whole, Self.context).predictProbabilities(data.features)
        == tree.fit(halves, Self.context).predictProbabilities(data.features))
  }

  @Test func histogramEqualsExactWhereValuesAreFew() throws {
    let data = try Dataset(bundled: "digits")
    var forest = RandomForestClassifier()
    forest.treeCount = 5
    forest.splits = .histogram
    let histogram = try forest.fit(data, Self.context)
    forest.splits = .exact
    #expect(try forest.fit(data, Self.context) == histogram)
  }

  @Test func missingValuesGoWhereTheyServe() throws {
    // The class is whether x1 is missing; x0 says nothing.
    var rows: [[Double]] = []
    var classes: [Int32] = []
    for row in 0..<40 {
      rows.append([Double(row % 7), row % 3 == 0 ? .nan : Double(row % 5)])
      classes.append(row % 3 == 0 ? 1 : 0)
    }
    let data = try Dataset(
      features: Matrix(rows), target: .classes(indices: classes, labels: ["there", "missing"]))
    let model = try DecisionTreeClassifier().fit(data, Self.context)
    #expect(model.nodeCount == 3)
    #expect(try model.predictClasses(data.features, .sequential) == classes)
    #expect(model.featureImportances == [0, 1])
  }

  @Test func missingValuesNeverSeenGoWithTheGreaterPart() throws {
    let rows = [[0.0], [1], [2], [10]]
    let data = try Dataset(features: Matrix(rows), target: .values([1, 1, 1, 9]))
    let model = try DecisionTreeRegressor().fit(data, Self.context)
    #expect(try model.predict(Matrix([[.nan], [5.9], [6.1]])) == [1, 1, 9])
  }

  @Test func categoriesSplitBySetsWhateverTheirOrder() throws {
    // Categories 0, 2 and 4 are alike, and so are 1, 3 and 5: one split on a set parts them.
    let categories = ["a", "b", "c", "d", "e", "f"]
    let rows = (0..<60).map { [Double($0 % 6)] }
    let data = try Dataset(
      features: Matrix(rows), columns: [Feature(name: "x", categories: categories)],
      target: .values((0..<60).map { $0 % 2 == 0 ? 3.5 : -1.25 }))
    let model = try DecisionTreeRegressor().fit(data, Self.context)
    #expect(model.nodeCount == 3)
    #expect(try model.predict(Matrix([[0.0], [1], [4], [5]])) == [3.5, -1.25, 3.5, -1.25])
    // A category that was never seen is a missing value: it takes a side, and always the same.
    let unknown = try model.predict(Matrix([[17.0], [.nan], [-3], [2.5]]))
    #expect(Set(unknown).count == 1)
    var extra = ExtraTreesRegressor()
    extra.treeCount = 5
    let predicted = try extra.fit(data, Self.context).predict(data.features)
    #expect(relativeDifference(predicted, (0..<60).map { $0 % 2 == 0 ? 3.5 : -1.25 }) < 1e-12)
  }

  @Test func categoriesOfManyClassesArePartedByForests() throws {
    let categories = (0..<9).map { "c\($0)" }
    let rows = (0..<180).map { [Double($0 % 9), Double($0 % 5)] }
    let data = try Dataset(
      features: Matrix(rows), columns: [Feature(name: "x", categories: categories), Feature(name: "y")],
      target: .classes(indices: (0..<180).map { Int32($0 % 9 % 3) }, labels: ["0", "1", "2"]))
    var forest = RandomForestClassifier()
    forest.treeCount = 10
    let model = try forest.fit(data, Self.context)
    #expect(try model.predictLabels(data.features) == (0..<180).map { "\($0 % 9 % 3)" })
    #expect(model.featureImportances[0] > 0.9)
  }

  @Test func featuresOfHugeAndTinyScaleAreSplit() throws {
    for scale in [1e-300, 1e-30, 1.0, 1e30, 1e300] {
      let rows = (0..<20).map { [Double($0) * scale] }
      let data = try Dataset(
        features: Matrix(rows), target: .values((0..<20).map { $0 < 7 ? -scale : 2 * scale }))
      for estimator in [RegressionCriterion.squaredError, .absoluteError] {
        var tree = DecisionTreeRegressor()
        tree.criterion = estimator
        let model = try tree.fit(data, Self.context)
        #expect(model.nodeCount == 3)
        let predicted = try model.predict(data.features).map { $0 / scale }
        #expect(relativeDifference(predicted, (0..<20).map { $0 < 7 ? -1 : 2 }) < 1e-12)
      }
    }
  }

  @Test func numbersThatAFloatCannotTellApartAreToldApart() throws {
    let rows = (0..<10).map { [1_700_000_000 + Double($0)] }
    let data = try Dataset(features: Matrix(rows), target: .values((0..<10).map(Double.init)))
    #expect(
      try DecisionTreeRegressor().fit(data, Self.context).predict(data.features) == (0..<10).map(Double.init))
  }

  @Test func dataWithoutAnythingToSplitGivesTheMean() throws {
    let constant = try Dataset(
      features: Matrix([[1, .nan], [1, .nan], [1, .nan]]), target: .values([1, 2, 6]))
    let model = try RandomForestRegressor().fit(constant, Self.context)
    #expect(model.nodeCount == 100)
    #expect(model.featureImportances == [0, 0])
    let tree = try DecisionTreeRegressor().fit(constant, Self.context)
    #expect(try tree.predict(Matrix([[7, 8]])) == [3])
    let single = try Dataset(features: Matrix([[4.0]]), target: .values([0.1]))
    let alone = try ExtraTreesRegressor().fit(single, Self.context).predict(Matrix([[9.0]]))
    #expect(relativeDifference(alone, [0.1]) < 1e-12)
    let equal = try Dataset(features: Matrix([[1.0], [2], [3]]), target: .values([0.1, 0.1, 0.1]))
    #expect(try DecisionTreeRegressor().fit(equal, Self.context).nodeCount == 1)
  }

  @Test func oneRowOfEachClassIsLearntByATree() throws {
    let data = try Dataset(
      features: Matrix([[1.0], [2], [3]]), target: .classes(indices: [0, 1, 2], labels: ["a", "b", "c"]))
    let tree = try DecisionTreeClassifier().fit(data, Self.context)
    #expect(try tree.predictLabels(data.features) == ["a", "b", "c"])
    let forest = try RandomForestClassifier().fit(data, Self.context)
    let sums = try forest.predictProbabilities(data.features).rowArrays.map { $0.reduce(0, +) }
    #expect(relativeDifference(sums, [1, 1, 1]) < 1e-12)
  }

  @Test func rowsOfWeightZeroAreAsIfNotThere() throws {
    let data = try Dataset(bundled: "iris")
    let kept = (0..<data.rowCount).filter { $0 % 3 != 1 }
    let weighted = try data.replacingWeights((0..<data.rowCount).map { $0 % 3 == 1 ? 0 : 1 })
    var forest = RandomForestClassifier()
    forest.treeCount = 5
    #expect(try forest.fit(weighted, Self.context) == forest.fit(data.gatheringRows(kept), Self.context))
  }

  @Test func outOfBagResultsLeaveOutRowsThatEveryTreeSaw() throws {
    let data = try Dataset(bundled: "wine")
    var forest = RandomForestClassifier()
    forest.treeCount = 1
    forest.outOfBagScore = true
    let result = try #require(try forest.fit(data, Self.context).outOfBag)
    let seen = result.probabilities.rowArrays.count { $0[0].isNaN }
    // A row is drawn with probability 1 − 1/e.
    #expect(abs(Double(seen) / Double(data.rowCount) - 0.632) < 0.12)
    #expect(result.score ?? 0 > 0.7)
  }
}
