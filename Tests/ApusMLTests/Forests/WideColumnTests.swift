import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

/// What `Tests/Goldens/make_wide_columns.py` wrote.
private struct WideColumnGoldens: Decodable {
  struct Score: Decodable {
    let mean: Double
    let deviation: Double
  }

  let firstRow: [Double]
  let lastTarget: Double
  let scores: [String: Score]
}

/// Columns of thousands of values that spread over many orders of magnitude, where 256 bins are too few.
@Suite struct WideColumnTests {
  private static let goldens = Result { try Golden.load("wide_columns.json", as: WideColumnGoldens.self) }
  private static let (train, test, columns) = (12_000, 4_000, 5)

  /// The rows of the script, to the bit.
  private static let rows: (features: Matrix<Double>, target: [Double]) = {
    var state: UInt64 = 42
    func draw() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / 9_007_199_254_740_992
    }
    var (features, target): ([[Double]], [Double]) = ([], [])
    for _ in 0..<train + test {
      let row = (0..<columns).map { _ in
        let share = draw()
        return share / ((1 - share) * (1 - share))
      }
      let tail = min(row[0].squareRoot(), 200)
      target.append(tail + (row[1] > 400 ? 20 : 0) + (row[2] > row[3] ? 1 : 0) + draw())
      features.append(row)
    }
    return (Matrix(features), target)
  }()

  private static func data(_ name: String) throws -> Dataset {
    let (features, target) = rows
    guard name.hasSuffix("classifier") else {
      return try Dataset(features: features, target: .values(target))
    }
    let classes = target.map { y in Int32([3.0, 9, 30, 90].count { y > $0 }) }
    return try Dataset(
      features: features, target: .classes(indices: classes, labels: ["0", "1", "2", "3", "4"]))
  }

  private func score(_ name: String, _ splits: SplitSearch, seed: UInt64) throws -> Double {
    let data = try Self.data(name)
    let (train, test) = (
      data.gatheringRows(0..<Self.train), data.gatheringRows(Self.train..<Self.train + Self.test)
    )
    var parameters: [String: ParameterValue] = ["splits": .string(splits.rawValue)]
    if name.hasPrefix("random-forest") { parameters["treeCount"] = .integer(30) }
    let estimator = try AnyEstimator(named: name, parameters: parameters).base
    let model: any FittedModel = try estimator.fittedModel(train, FitContext(seed: Seed(seed)))
    if let model = model as? ForestRegressorModel {
      let (predicted, values) = (try model.predict(test.features), try test.targetValues())
      let mean = values.reduce(0, +) / Double(values.count)
      let left = zip(predicted, values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return 1 - left / values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
    let predicted = try #require(model as? ForestClassifierModel).predictClasses(test.features, .allCPUs)
    return Double(zip(predicted, try test.targetClasses()).count { $0 == $1 }) / Double(Self.test)
  }

  @Test func theRowsAreThoseOfTheScript() throws {
    let goldens = try Self.goldens.get()
    #expect(Self.rows.features.row(0) == goldens.firstRow)
    #expect(Self.rows.target.last == goldens.lastTarget)
  }

  @Test(arguments: [
    "decision-tree-regressor", "random-forest-regressor", "decision-tree-classifier",
    "random-forest-classifier",
  ]) func theyAreSplitAsWellAsByScikitLearn(name: String) throws {
    let golden = try #require(try Self.goldens.get().scores[name])
    let (seeds, tolerance) = (3, 4 * golden.deviation + 0.0005)
    for splits in [SplitSearch.automatic, .exact] {
      let mean = try (0..<seeds).reduce(0) {
        $0 + (try score(name, splits, seed: UInt64($1))) / Double(seeds)
      }
      #expect(
        mean > golden.mean - tolerance, "\(splits): \(mean) against \(golden.mean) ± \(golden.deviation)")
    }
    // What the default has to be better than.
    if name.hasSuffix("regressor") {
      #expect(try score(name, .histogram, seed: 0) < golden.mean - 10 * tolerance)
    }
  }

  /// Coarse codes are an order of looking, not another tree: what is known of trees holds with them too.
  @Test func aTreeIsTheTopOfADeeperOneAndAForestTheStartOfALongerOne() throws {
    let data = try Self.data("regressor").gatheringRows(0..<5_000)
    var forest = RandomForestRegressor()
    forest.treeCount = 6
    let whole = try forest.fit(data, FitContext(seed: Seed(5)))
    for workers in [1, 3] {
      let context = FitContext(seed: Seed(5), compute: ComputeContext(threads: workers))
      #expect(try forest.fit(data, context) == whole)
    }
    var few = forest
    (few.treeCount, few.maxDepth) = (3, 4)
    let jointly = try RandomForestRegressor.fitJointly([forest, few], on: data, FitContext(seed: Seed(5)))
    let alone = try few.fit(data, FitContext(seed: Seed(5)))
    #expect(try jointly[0].get().predict(data.features) == whole.predict(data.features))
    #expect(try jointly[1].get().predict(data.features) == alone.predict(data.features))
  }

  /// Missing values of columns with coarse codes, in nodes of many rows and of few.
  @Test func missingValuesOfWideColumnsGoWhereTheyServe() throws {
    let n = 6_000
    var features = Matrix<Double>(rowCount: n, columnCount: 2)
    for row in 0..<n {
      features[row, 0] = Self.rows.features[row, 0]
      features[row, 1] = row % 3 == 0 ? .nan : Self.rows.features[row, 1]
    }
    let target = (0..<n).map { row in (row % 3 == 0 ? 5.0 : 0) + (features[row, 0] > 1 ? 1 : 0) }
    let data = try Dataset(features: features, target: .values(target))
    let model = try DecisionTreeRegressor().fit(data)
    #expect(model.nodeCount == 7)
    #expect(try model.predict(features) == target)
  }
}
