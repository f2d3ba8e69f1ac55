import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// A forest limited to a depth is the top of a deeper one, whatever decides its splits.
@Suite struct ForestDepthTests {
  private static let context = FitContext(seed: Seed(17), compute: ComputeContext(threads: 2))

  /// Every eleventh value is missing.
  private static func withMissingValues(_ data: Dataset) -> Dataset {
    var features = data.features
    for row in 0..<data.rowCount {
      for column in 0..<data.featureCount where (row * 7 + column * 3) % 11 == 0 {
        features[row, column] = .nan
      }
    }
    return data.replacingFeatures(features, columns: data.columns)
  }

  /// Three columns of categories, one of them with missing values, beside a number.
  private static func categories(rowCount n: Int, classes: Bool) throws -> Dataset {
    var random = Seed(2).randomSource()
    let rows = (0..<n).map { row -> [Double] in
      let missing = random.uniform() < 0.1
      return [
        Double(random.integer(below: 12)), missing ? .nan : Double(random.integer(below: 5)),
        Double(random.integer(below: 70)), random.normal(),
      ]
    }
    let scores = rows.map { row in
      Double(Int(row[0]) * 7 % 12) + (row[1].isNaN ? 6 : row[1]) + Double(Int(row[2]) * 31 % 70) / 9 + row[3]
        + random.normal()
    }
    let columns = [12, 5, 70].enumerated().map { column, count in
      Feature(name: "c\(column)", categories: (0..<count).map { "\($0)" })
    }
    return try Dataset(
      features: Matrix(rows), columns: columns + [Feature(name: "x")],
      target: classes
        ? .classes(indices: scores.map { Int32(min(2, max(0, Int($0 / 6)))) }, labels: ["a", "b", "c"])
        : .values(scores))
  }

  private static func classifications() throws -> [(String, Dataset)] {
    let wine = try Dataset(bundled: "wine")
    let digits = try Dataset(bundled: "digits")
    let few = digits.gatheringRows(stride(from: 0, to: digits.rowCount, by: 4).map { $0 })
    return [
      ("digits", few), ("missing values", withMissingValues(wine)),
      ("categories", try categories(rowCount: 300, classes: true)),
      ("weights", try wine.replacingWeights((0..<178).map { 0.25 + Double($0 % 5) })),
    ]
  }

  @Test(arguments: [1, 3, 6]) func classificationForests(depth: Int) throws {
    for (name, data) in try Self.classifications() {
      for weight in [ForestClassWeight.uniform, .balanced, .balancedSubsample] {
        var forest = RandomForestClassifier()
        (forest.treeCount, forest.classWeight) = (4, weight)
        let deep = try forest.fit(data, Self.context, keepingInnerValues: true)
        forest.maxDepth = depth
        let cut = try #require(deep.limited(toDepth: depth))
        #expect(
          cut == (try forest.fit(data, Self.context, keepingInnerValues: true)), "\(name) \(weight)")
        let plain = try forest.fit(data, Self.context)
        #expect(
          try cut.predictProbabilities(data.features) == plain.predictProbabilities(data.features),
          "\(name) \(weight)")
        #expect(cut.nodeCount < deep.nodeCount)
      }
      for (bootstrap, weight) in [(false, ForestClassWeight.uniform), (true, .balancedSubsample)] {
        var forest = ExtraTreesClassifier()
        (forest.treeCount, forest.bootstrap, forest.classWeight) = (4, bootstrap, weight)
        let deep = try forest.fit(data, Self.context, keepingInnerValues: true)
        forest.maxDepth = depth
        let cut = try #require(deep.limited(toDepth: depth))
        // Thresholds of the deeper nodes are left in the tables, so what is compared is what the forests say.
        let plain = try forest.fit(data, Self.context)
        #expect(
          try cut.predictProbabilities(data.features) == plain.predictProbabilities(data.features),
          "\(name) \(weight)")
        #expect(cut.featureImportances == plain.featureImportances && cut.nodeCount == plain.nodeCount)
      }
    }
  }

  @Test(arguments: [1, 3, 6], RegressionCriterion.allCases)
  func regressionForests(depth: Int, criterion: RegressionCriterion) throws {
    let diabetes = try Dataset(bundled: "diabetes").gatheringRows((0..<220).map { 2 * $0 })
    let categories = try Self.categories(rowCount: 300, classes: false)
    let positive = try Dataset(
      features: categories.features, columns: categories.columns,
      target: .values(categories.targetValues().map { abs($0) }))
    for (name, data) in [("missing values", Self.withMissingValues(diabetes)), ("categories", positive)] {
      var forest = RandomForestRegressor()
      (forest.treeCount, forest.criterion) = (3, criterion)
      var extra = ExtraTreesRegressor()
      (extra.treeCount, extra.criterion) = (3, criterion)
      let deep = try forest.fit(data, Self.context, keepingInnerValues: true)
      let deepExtra = try extra.fit(data, Self.context, keepingInnerValues: true)
      (forest.maxDepth, extra.maxDepth) = (depth, depth)
      let cut = try #require(deep.limited(toDepth: depth))
      #expect(cut == (try forest.fit(data, Self.context, keepingInnerValues: true)), "\(name)")
      #expect(cut.nodeCount < deep.nodeCount)
      let cutExtra = try #require(deepExtra.limited(toDepth: depth))
      let plainExtra = try extra.fit(data, Self.context)
      #expect(try cutExtra.predict(data.features) == plainExtra.predict(data.features), "\(name)")
      #expect(cutExtra.featureImportances == plainExtra.featureImportances)
    }
  }
}
