import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

/// What `Tests/Goldens/make_forests.py` wrote.
private struct ForestGoldens: Decodable {
  struct Tree: Decodable, CustomTestStringConvertible {
    let name: String
    let dataset: String
    let estimator: String
    let parameters: [String: ParameterValue]
    let weighted: Bool
    let missing: Bool
    /// Every how many rows are taken; all of them unless said.
    let every: Int?
    let leafValues: [[Double]]
    let leafOfRow: [Int]
    let importances: [Double]
    let leafCount: Int
    var testDescription: String { name }
  }

  struct Forest: Decodable, CustomTestStringConvertible {
    let dataset: String
    let estimator: String
    let parameters: [String: ParameterValue]
    let weighted: Bool
    let missing: Bool
    let mean: Double
    let deviation: Double
    let outOfBagMean: Double?
    let outOfBagDeviation: Double?
    var testDescription: String {
      "\(estimator) on \(dataset) \(parameters)\(weighted ? ", weighted" : "")\(missing ? ", missing" : "")"
    }
  }

  let trees: [Tree]
  let forests: [Forest]

  static let all = Result { try Golden.load("forests.json", as: ForestGoldens.self) }

  /// The trees of a file of trees alone.
  private struct Options: Decodable { let trees: [Tree] }
  static let options = Result { try Golden.load("tree_options.json", as: Options.self).trees }
}

@Suite struct ForestGoldenTests {
  @Test func goldensAreThere() throws {
    let goldens = try ForestGoldens.all.get()
    #expect(goldens.trees.count > 20)
    #expect(goldens.forests.count == 35)
    #expect(try ForestGoldens.options.get().count == 34)
  }

  /// One tree on all features, where no tie decides: scikit-learn's leaves and importances.
  @Test(
    arguments: ((try? ForestGoldens.all.get().trees) ?? []) + ((try? ForestGoldens.options.get()) ?? []))
  private func treeEqualsScikitLearns(_ golden: ForestGoldens.Tree) throws {
    var data = try Dataset(bundled: golden.dataset)
    if let every = golden.every {
      data = data.gatheringRows(stride(from: 0, to: data.rowCount, by: every).map { $0 })
    }
    let n = data.rowCount
    if golden.missing { data = withMissingValues(data) }
    if golden.weighted { data = try data.replacingWeights((0..<n).map { Double($0 % 3) + 0.5 }) }
    let expected = golden.leafOfRow.flatMap { golden.leafValues[$0] }
    for seed in 0..<2 {
      let context = FitContext(seed: Seed(UInt64(seed)), compute: .sequential)
      var parameters = golden.parameters
      parameters["splits"] = .string("exact")
      let estimator = try AnyEstimator(named: golden.estimator, parameters: parameters).base
      if let classifier = estimator as? DecisionTreeClassifier {
        let model = try classifier.fit(data, context)
        let shares = try model.predictProbabilities(data.features)
        #expect(relativeDifference(shares.elements, expected) < 1e-9)
        #expect(relativeDifference(model.featureImportances, golden.importances) < 1e-9)
        #expect(model.nodeCount == 2 * golden.leafCount - 1)
      } else {
        let model = try #require(estimator as? DecisionTreeRegressor).fit(data, context)
        #expect(relativeDifference(try model.predict(data.features), expected) < 1e-9)
        #expect(relativeDifference(model.featureImportances, golden.importances) < 1e-9)
        #expect(model.nodeCount == 2 * golden.leafCount - 1)
      }
    }
  }

  /// Forests of a few seeds, scored on held-out rows, against the spread of scikit-learn's own seeds.
  @Test(arguments: (try? ForestGoldens.all.get().forests) ?? [])
  private func forestIsAsGoodAsScikitLearns(_ golden: ForestGoldens.Forest) throws {
    var data = try Dataset(bundled: golden.dataset)
    if golden.missing { data = withMissingValues(data) }
    if golden.weighted {
      let weights = (0..<data.rowCount).map { row -> Double in
        let decade = [0.1, 1, 10][row % 3]
        return row % 2 == 0 ? decade : 6 * decade
      }
      data = try data.replacingWeights(weights)
    }
    let train = data.gatheringRows((0..<data.rowCount).filter { $0 % 4 != 3 })
    let test = data.gatheringRows((0..<data.rowCount).filter { $0 % 4 == 3 })
    let seedCount = 3
    var score = 0.0
    var outOfBag = 0.0
    for seed in 0..<seedCount {
      let context = FitContext(seed: Seed(UInt64(seed)))
      let estimator = try AnyEstimator(named: golden.estimator, parameters: golden.parameters).base
      let model: any FittedModel = try estimator.fit(train, context)
      if let model = model as? ForestRegressorModel {
        score += try rSquared(model.predict(test.features), test.targetValues()) / Double(seedCount)
        outOfBag += (model.outOfBag?.score ?? 0) / Double(seedCount)
      } else {
        let model = try #require(model as? ForestClassifierModel)
        let predicted = try model.predictClasses(test.features, .allCPUs)
        score += try accuracy(predicted, test.targetClasses()) / Double(seedCount)
        outOfBag += (model.outOfBag?.score ?? 0) / Double(seedCount)
      }
    }
    // Three standard deviations of the mean of three, and one row in five hundred for spreads of zero.
    let tolerance = 3 * golden.deviation / Double(seedCount).squareRoot() + 0.002
    #expect(abs(score - golden.mean) < tolerance, "\(score) against \(golden.mean) ± \(golden.deviation)")
    if let mean = golden.outOfBagMean, let deviation = golden.outOfBagDeviation {
      let tolerance = 3 * deviation / Double(seedCount).squareRoot() + 0.002
      #expect(abs(outOfBag - mean) < tolerance, "out of bag \(outOfBag) against \(mean) ± \(deviation)")
    }
  }
}

/// A data set with every eleventh value taken out.
private func withMissingValues(_ data: Dataset) -> Dataset {
  var features = data.features
  for row in 0..<data.rowCount {
    for column in 0..<data.featureCount where (row * 7 + column * 3) % 11 == 0 {
      features[row, column] = .nan
    }
  }
  return data.replacingFeatures(features, columns: data.columns)
}

private func accuracy(_ predicted: [Int32], _ truth: [Int32]) -> Double {
  Double(zip(predicted, truth).count { $0 == $1 }) / Double(truth.count)
}

private func rSquared(_ predicted: [Double], _ values: [Double]) -> Double {
  let mean = values.reduce(0, +) / Double(values.count)
  let residual = zip(predicted, values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  return 1 - residual / values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
}
