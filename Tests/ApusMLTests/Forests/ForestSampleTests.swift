import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

/// What forests draw at random: rows for each tree, features for each split; and what follows from the draws.
@Suite struct ForestSampleTests {
  private static func context(_ seed: UInt64 = 3) -> FitContext {
    FitContext(seed: Seed(seed), compute: .sequential)
  }

  @Test func everyTreeCountsAsManyDrawsAsThereAreRows() throws {
    for tree in try ForestDraws.multiplicities(rowCount: 60, treeCount: 8, Self.context()) {
      #expect(tree.reduce(0, +) == 60)
    }
    let few = try ForestDraws.multiplicities(
      rowCount: 60, treeCount: 40, drawCount: 12, Self.context())
    for tree in few { #expect(tree.reduce(0, +) == 12) }
    // With replacement: a row is drawn twice now and then, and every row by some tree.
    #expect(few.contains { $0.contains { $0 > 1 } })
    #expect((0..<60).allSatisfy { row in few.contains { $0[row] > 0 } })
  }

  /// Features whose splits gain little weigh as much as others in a tree that has no other splits.
  @Test func theImportancesOfEachTreeSumToOne() throws {
    let data = try Dataset(bundled: "breast-cancer")
    var forest = RandomForestClassifier()
    forest.treeCount = 12
    let model = try forest.fit(data, Self.context())
    var before = [Double](repeating: 0, count: data.featureCount)
    for count in 1...12 {
      let sums = model.prefix(treeCount: count).featureImportances.map { $0 * Double(count) }
      let own = zip(sums, before).map { $0 - $1 }
      #expect(abs(own.reduce(0, +) - 1) < 1e-9 && own.allSatisfy { $0 > -1e-9 })
      before = sums
    }
  }

  /// The mean over the trees that did not draw a row, from the trees' own predictions and their draws.
  private func outOfBag(_ staged: [Matrix<Double>], _ counts: [[Double]]) -> [[Double]?] {
    let (n, k) = (staged[0].rowCount, staged[0].columnCount)
    return (0..<n).map { row in
      var (sum, trees) = ([Double](repeating: 0, count: k), 0.0)
      for tree in counts.indices where counts[tree][row] == 0 {
        trees += 1
        for value in 0..<k {
          let before = tree > 0 ? staged[tree - 1][row, value] * Double(tree) : 0
          sum[value] += staged[tree][row, value] * Double(tree + 1) - before
        }
      }
      return trees > 0 ? sum.map { $0 / trees } : nil
    }
  }

  @Test(arguments: ["random-forest-classifier", "extra-trees-classifier"], [false, true])
  func outOfBagClassesAreThoseOfTheTreesThatDidNotSeeARow(name: String, isWeighted: Bool) throws {
    let treeCount = 9
    let whole = try Dataset(bundled: "iris")
    let weights = (0..<150).map { 0.25 + Double($0 % 4) }
    let data = try whole.replacingWeights(isWeighted ? weights : nil)
    let estimator = try AnyEstimator(
      named: name,
      parameters: [
        "treeCount": .integer(treeCount), "bootstrap": .boolean(true), "outOfBagScore": .boolean(true),
        "maxDepth": .integer(3),
      ]
    ).base
    let model = try #require(try estimator.fittedModel(data, Self.context()) as? ForestClassifierModel)
    let counts = try ForestDraws.multiplicities(rowCount: 150, treeCount: treeCount, Self.context())
    let staged = try model.predictProbabilities(
      data.features, treeCounts: Array(1...treeCount), .sequential)
    let result = try #require(model.outOfBag)
    let classes = try data.targetClasses()
    var (right, all) = (0.0, 0.0)
    for (row, shares) in outOfBag(staged, counts).enumerated() {
      guard let shares else {
        #expect(result.probabilities.row(row).allSatisfy { $0.isNaN })
        continue
      }
      #expect(relativeDifference(result.probabilities.row(row), shares) < 1e-9)
      let weight = isWeighted ? weights[row] : 1
      all += weight
      let own = result.probabilities.row(row)
      if own.firstIndex(of: own.max()!) == Int(classes[row]) { right += weight }
    }
    #expect(abs(try #require(result.score) - right / all) < 1e-12)
  }

  @Test(arguments: ["random-forest-regressor", "extra-trees-regressor"], [false, true])
  func outOfBagNumbersAreThoseOfTheTreesThatDidNotSeeARow(name: String, isWeighted: Bool) throws {
    let treeCount = 7
    let whole = try Dataset(bundled: "diabetes").gatheringRows((0..<120).map { 3 * $0 })
    let weights = (0..<120).map { 0.25 + Double($0 % 4) }
    let data = try whole.replacingWeights(isWeighted ? weights : nil)
    let estimator = try AnyEstimator(
      named: name,
      parameters: [
        "treeCount": .integer(treeCount), "bootstrap": .boolean(true), "outOfBagScore": .boolean(true),
        "minSamplesLeaf": .integer(3),
      ]
    ).base
    let model = try #require(try estimator.fittedModel(data, Self.context()) as? ForestRegressorModel)
    let counts = try ForestDraws.multiplicities(rowCount: 120, treeCount: treeCount, Self.context())
    let staged = try model.predict(data.features, treeCounts: Array(1...treeCount), .sequential)
    let result = try #require(model.outOfBag)
    let values = try data.targetValues()
    let expected = outOfBag(staged.map { Matrix($0.map { [$0] }) }, counts)
    let known = expected.indices.filter { expected[$0] != nil }
    for row in expected.indices where expected[row] == nil { #expect(result.predictions[row].isNaN) }
    #expect(relativeDifference(known.map { result.predictions[$0] }, known.map { expected[$0]![0] }) < 1e-9)
    let shares = known.map { isWeighted ? weights[$0] : 1 }
    var mean = 0.0
    for (row, weight) in zip(known, shares) { mean += weight * values[row] / shares.reduce(0, +) }
    var (residual, spread) = (0.0, 0.0)
    for (row, weight) in zip(known, shares) {
      residual += weight * (values[row] - expected[row]![0]) * (values[row] - expected[row]![0])
      spread += weight * (values[row] - mean) * (values[row] - mean)
    }
    #expect(abs(try #require(result.score) - (1 - residual / spread)) < 1e-9)
  }

  /// Of 16 features one tells the class and the others are noise: a stump takes it exactly where it was drawn.
  @Test(arguments: [
    (FeatureLimit.log2, 4), (.squareRoot, 4), (.count(7), 7), (.fraction(0.2), 3), (.all, 16),
  ])
  func aSplitLooksAtAsManyFeaturesAsAskedFor(limit: FeatureLimit, count: Int) throws {
    var random = Seed(9).randomSource()
    let rows = (0..<40).map { row in (0..<16).map { $0 == 5 ? Double(row % 2) : random.uniform() } }
    let data = try Dataset(
      features: Matrix(rows), target: .classes(indices: (0..<40).map { Int32($0 % 2) }, labels: ["a", "b"]))
    for name in ["random-forest-classifier", "extra-trees-classifier"] {
      let estimator = try AnyEstimator(
        named: name,
        parameters: [
          "treeCount": .integer(2000), "maxDepth": .integer(1), "maxFeatures": limit.parameterValue,
          "bootstrap": .boolean(false),
        ]
      ).base
      let model = try #require(try estimator.fittedModel(data, Self.context()) as? ForestClassifierModel)
      let share = Double(count) / 16
      // Four standard deviations of the share of 2,000 trees.
      let tolerance = 4 * (share * (1 - share) / 2000).squareRoot() + 1e-12
      #expect(abs(model.featureImportances[5] - share) <= tolerance, "\(name)")
    }
  }

  @Test func theBinaryLogarithmOfTheNumberOfFeaturesIsRoundedDown() throws {
    // 30 features: log₂ gives four, the square root five.
    let data = try Dataset(bundled: "breast-cancer")
    var forest = RandomForestClassifier()
    forest.treeCount = 5
    forest.maxFeatures = .log2
    let model = try forest.fit(data, Self.context())
    forest.maxFeatures = .count(4)
    #expect(try forest.fit(data, Self.context()) == model)
    forest.maxFeatures = .count(5)
    #expect(try forest.fit(data, Self.context()) != model)
  }

  /// So many draws leave so many rows unseen, and a tree has no more leaves than rows.
  @Test(arguments: ["random-forest-classifier", "extra-trees-classifier"])
  func treesOfClassifiersDrawAsManyRowsAsAskedFor(name: String) throws {
    let data = try Dataset(bundled: "digits")
    let n = Double(data.rowCount)
    for (limit, draws) in [(RowLimit.count(40), 40.0), (.fraction(0.25), 449), (.fraction(1), 1797)] {
      let estimator = try AnyEstimator(
        named: name,
        parameters: [
          "treeCount": .integer(1), "bootstrap": .boolean(true), "outOfBagScore": .boolean(true),
          "maxSamples": limit.parameterValue,
        ]
      ).base
      var unseen = 0.0
      for seed in 0..<5 {
        let model = try #require(
          try estimator.fittedModel(data, Self.context(UInt64(seed))) as? ForestClassifierModel)
        #expect(Double(model.nodeCount) <= 2 * draws - 1)
        let probabilities = try #require(model.outOfBag).probabilities
        unseen += Double((0..<data.rowCount).count { !probabilities[$0, 0].isNaN }) / n / 5
      }
      let expected = pow(1 - 1 / n, draws)
      #expect(abs(unseen - expected) < 0.02, "\(limit): \(unseen) against \(expected)")
    }
  }
}

/// A power by repeated multiplication, for whole exponents.
private func pow(_ base: Double, _ exponent: Double) -> Double {
  (0..<Int(exponent)).reduce(1) { result, _ in result * base }
}
