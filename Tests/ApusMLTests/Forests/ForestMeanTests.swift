import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

/// A forest that looks at all features is the mean of decision trees on its samples: of their importances, which sum to
/// 1 for each tree however much its splits gain, and of their predictions. So what single trees do as scikit-learn's do,
/// forests do.
@Suite struct ForestMeanTests {
  private static let context = FitContext(seed: Seed(21), compute: .sequential)
  private static let (treeCount, n) = (5, 160)

  /// Numbers of three columns, and a score of them with noise.
  private static func rows() -> (features: Matrix<Double>, scores: [Double]) {
    var random = Seed(6).randomSource()
    let rows = (0..<n).map { _ in (0..<3).map { _ in random.normal() } }
    return (Matrix(rows), rows.map { $0[0] + $0[1] * $0[2] + 0.7 * random.normal() })
  }

  private static func rowWeights(_ isWeighted: Bool) -> [Double] {
    (0..<n).map { isWeighted ? 0.5 + Double($0 % 3) : 1 }
  }

  /// Limits by name, as hyperparameters that forests and trees share. Leaves are large throughout: nodes of few rows are
  /// split as well by several features, of which each forest takes the one drawn first.
  private static let limits: [String: [String: ParameterValue]] = [
    "leaves": [:], "decrease": ["minImpurityDecrease": .real(0.02)],
    "leaf weight": ["minWeightFractionLeaf": .real(0.15)], "split rows": ["minSamplesSplit": .integer(50)],
    "best first": ["maxLeafNodes": .integer(4)],
  ]

  private func settings(_ limit: String, criterion: String) throws -> [String: ParameterValue] {
    let common: [String: ParameterValue] = [
      "splits": .string("exact"), "criterion": .string(criterion), "minSamplesLeaf": .integer(12),
    ]
    return common.merging(try #require(Self.limits[limit])) { $1 }
  }

  @Test(arguments: limits.keys.sorted(), [false, true])
  func regressors(limit: String, isWeighted: Bool) throws {
    let (features, scores) = Self.rows()
    let weights = Self.rowWeights(isWeighted)
    let data = try Dataset(
      features: features, target: .values(scores.map { max($0 + 4, 0) }), weights: isWeighted ? weights : nil)
    let counts = try ForestDraws.multiplicities(rowCount: Self.n, treeCount: Self.treeCount, Self.context)
    for criterion in [RegressionCriterion.squaredError, .poisson] {
      let settings = try settings(limit, criterion: criterion.rawValue)
      var forest = try RandomForestRegressor().setting(settings)
      (forest.treeCount, forest.maxFeatures) = (Self.treeCount, .all)
      let model = try forest.fit(data, Self.context)
      let staged = try model.predict(features, treeCounts: Array(1...Self.treeCount), .sequential)
      let tree = try DecisionTreeRegressor().setting(settings)
      var importances = [0.0, 0, 0]
      for (index, sample) in counts.enumerated() {
        let own = try tree.fit(data.replacingWeights(zip(sample, weights).map { $0 * $1 }), Self.context)
        for column in 0..<3 { importances[column] += own.featureImportances[column] / Double(Self.treeCount) }
        let expected = try own.predict(features)
        for row in 0..<Self.n where sample[row] > 0 {
          let before = index > 0 ? staged[index - 1][row] * Double(index) : 0
          let prediction = staged[index][row] * Double(index + 1) - before
          #expect(abs(prediction - expected[row]) < 1e-8, "\(criterion)")
        }
      }
      #expect(relativeDifference(model.featureImportances, importances) < 1e-7, "\(criterion)")
    }
  }

  /// Absolute errors tie easily: a row between the medians of both sides may be on either. So what is compared is how
  /// well the first split of each tree does on the tree's own sample.
  @Test(arguments: [false, true]) func absoluteErrors(isWeighted: Bool) throws {
    let (features, scores) = Self.rows()
    let weights = Self.rowWeights(isWeighted)
    let data = try Dataset(
      features: features, target: .values(scores), weights: isWeighted ? weights : nil)
    let counts = try ForestDraws.multiplicities(rowCount: Self.n, treeCount: Self.treeCount, Self.context)
    var forest = RandomForestRegressor()
    (forest.treeCount, forest.maxFeatures, forest.maxDepth) = (Self.treeCount, .all, 1)
    (forest.criterion, forest.splits) = (.absoluteError, .exact)
    let staged = try forest.fit(data, Self.context)
      .predict(features, treeCounts: Array(1...Self.treeCount), .sequential)
    var tree = DecisionTreeRegressor()
    (tree.maxDepth, tree.criterion, tree.splits) = (1, .absoluteError, .exact)
    for (index, sample) in counts.enumerated() {
      let all = zip(sample, weights).map { $0 * $1 }
      let expected = try tree.fit(data.replacingWeights(all), Self.context).predict(features)
      var (own, other) = (0.0, 0.0)
      for row in 0..<Self.n {
        let before = index > 0 ? staged[index - 1][row] * Double(index) : 0
        own += all[row] * abs(staged[index][row] * Double(index + 1) - before - scores[row])
        other += all[row] * abs(expected[row] - scores[row])
      }
      #expect(abs(own / other - 1) < 1e-9, "tree \(index): \(own) against \(other)")
    }
  }

  /// Weights by which three classes count as much, of rows that count so often.
  private func balanced(_ classes: [Int32], _ counts: [Double]) -> [Double] {
    var totals = [0.0, 0, 0]
    for (label, count) in zip(classes, counts) { totals[Int(label)] += count }
    let total = counts.reduce(0, +)
    return totals.map { total / (3 * $0) }
  }

  @Test(arguments: limits.keys.sorted(), [false, true])
  func classifiers(limit: String, isWeighted: Bool) throws {
    let (features, scores) = Self.rows()
    let weights = Self.rowWeights(isWeighted)
    // The last class is rare.
    let classes = scores.map { Int32($0 < 0 ? 0 : $0 < 1 ? 1 : 2) }
    let data = try Dataset(
      features: features, target: .classes(indices: classes, labels: ["a", "b", "c"]),
      weights: isWeighted ? weights : nil)
    let counts = try ForestDraws.multiplicities(rowCount: Self.n, treeCount: Self.treeCount, Self.context)
    let explicit = ForestClassWeight.explicit(["a": 0.3, "c": 2.5])
    for criterion in [ClassificationCriterion.gini, .entropy] {
      for classWeight in [ForestClassWeight.uniform, .balanced, explicit, .balancedSubsample] {
        let settings = try settings(limit, criterion: criterion.rawValue)
        var forest = try RandomForestClassifier().setting(settings)
        (forest.treeCount, forest.maxFeatures, forest.classWeight) = (Self.treeCount, .all, classWeight)
        let model = try forest.fit(data, Self.context)
        let staged = try model.predictProbabilities(
          features, treeCounts: Array(1...Self.treeCount), .sequential)
        let tree = try DecisionTreeClassifier().setting(settings)
        var importances = [0.0, 0, 0]
        for (index, sample) in counts.enumerated() {
          let perClass: [Double] =
            switch classWeight {
            case .uniform: [1, 1, 1]
            case .balanced: balanced(classes, [Double](repeating: 1, count: Self.n))
            case .balancedSubsample: balanced(classes, sample)
            case .explicit: [0.3, 1, 2.5]
            }
          let all = (0..<Self.n).map { sample[$0] * weights[$0] * perClass[Int(classes[$0])] }
          let own = try tree.fit(data.replacingWeights(all), Self.context)
          for column in 0..<3 {
            importances[column] += own.featureImportances[column] / Double(Self.treeCount)
          }
          let expected = try own.predictProbabilities(features)
          for row in 0..<Self.n where sample[row] > 0 {
            for label in 0..<3 {
              let before = index > 0 ? staged[index - 1][row, label] * Double(index) : 0
              let share = staged[index][row, label] * Double(index + 1) - before
              #expect(abs(share - expected[row, label]) < 1e-6, "\(criterion) \(classWeight)")
            }
          }
        }
        #expect(
          relativeDifference(model.featureImportances, importances) < 1e-6, "\(criterion) \(classWeight)")
      }
    }
  }

  /// One column of many values, in so many bins of as many rows each: a tree has a leaf for each of them and no more.
  @Test(arguments: [2, 8, 50]) func aTreeCutsAColumnAtTheEdgesOfItsBins(binCount: Int) throws {
    let n = 1000
    let features = Matrix((0..<n).map { [Double($0 * $0)] })
    let data = try Dataset(features: features, target: .values((0..<n).map { Double($0) }))
    var tree = DecisionTreeRegressor()
    (tree.splits, tree.maxBins) = (.histogram, binCount)
    let model = try tree.fit(data, Self.context)
    #expect(model.nodeCount == 2 * binCount - 1)
    var sizes: [Double: Int] = [:]
    for value in try model.predict(features) { sizes[value, default: 0] += 1 }
    #expect(sizes.count == binCount)
    #expect(sizes.values.allSatisfy { abs($0 - n / binCount) <= 1 })
  }
}
