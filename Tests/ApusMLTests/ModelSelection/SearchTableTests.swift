import ApusData
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

private struct GoldenTable: Decodable {
  struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
  var columns: [String] = []
  var bestIndex = 0
  /// The values of the columns that do not depend on the machine, by name.
  var values: [String: [Double]] = [:]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    for key in container.allKeys {
      switch key.stringValue {
      case "columns": columns = try container.decode([String].self, forKey: key)
      case "bestIndex": bestIndex = try container.decode(Int.self, forKey: key)
      case "params": break
      default: values[key.stringValue] = try container.decode([Double].self, forKey: key)
      }
    }
  }
}

@Suite struct SearchTableTests {
  private let goldens: [String: GoldenTable]

  init() throws { goldens = try Golden.load("search_tables.json") }

  /// Checks a search's table against scikit-learn's `cv_results_`: columns, scores, ranks and the best row.
  private func expectTable(
    _ golden: String, _ results: SearchResults, renaming: [String: String] = [:], tolerance: Double = 1e-6
  ) throws {
    let golden = try #require(goldens[golden])
    let table = results.table
    let expectedColumns = golden.columns.map { renaming[$0] ?? $0 }
    let ends = results.candidates[0].mostIterations == nil ? [] : ["max_n_iter", "max_residual"]
    #expect(table.columns == ["estimator"] + expectedColumns + ["unconverged_folds"] + ends)
    for (column, expected) in golden.values {
      let position = try #require(table.columns.firstIndex(of: column))
      let actual = table.rows.map { $0[position].number ?? .nan }
      if column.hasPrefix("rank") {
        #expect(actual == expected, "\(column)")
      } else if column.hasPrefix("std") {
        #expect(zip(actual, expected).allSatisfy { abs($0 - $1) < tolerance }, "\(column)")
      } else if !column.hasPrefix("mean_score_time"), !column.hasPrefix("mean_fit_time") {
        #expect(
          relativeDifference(actual, expected) < tolerance, "\(column): \(actual), expected \(expected)")
      }
    }
    #expect(results.best?.index == golden.bestIndex)
  }

  @Test func ridgeOnDiabetes() async throws {
    let grid = ParameterGrid(Ridge()).varying(\.alpha, over: try .log(from: 1e-3, to: 1e3, count: 7))
    let options = SearchOptions(
      metrics: [.r2, .negMeanSquaredError, .negMeanAbsoluteError], includesTrainScores: true)
    let results = try await GridSearch(grid, options).run(
      on: Dataset(bundled: "diabetes"), backend: ThreadBackend(workers: 2)
    ).results
    try expectTable("ridgeDiabetes", results)
  }

  @Test func logisticRegressionOnIris() async throws {
    let grid = ParameterGrid(LogisticRegression(tolerance: 1e-9, maxIterations: 10_000))
      .varying(\.c, over: try .log(from: 1e-3, to: 1e3, count: 7))
    let results = try await GridSearch(grid, SearchOptions(metrics: [.accuracy, .negLogLoss])).run(
      on: Dataset(bundled: "iris"), backend: ThreadBackend(workers: 2)
    ).results
    try expectTable("logisticIris", results, renaming: ["param_C": "param_c"])
    #expect(results.unconvergedFitCount == 0)
  }

  @Test func scaledLogisticRegressionOnBreastCancer() async throws {
    let grid = ParameterGrid(
      Pipeline(StandardScaler(), LogisticRegression(tolerance: 1e-9, maxIterations: 10_000))
    ).varying(\.last.c, [0.01, 0.1, 1, 10])
    let metrics: [Metric] = [.accuracy, .rocAUC, .f1, .negLogLoss]
    let results = try await GridSearch(grid, SearchOptions(metrics: metrics)).run(
      on: Dataset(bundled: "breast-cancer"), backend: ThreadBackend(workers: 2)
    ).results
    try expectTable(
      "scaledLogisticCancer", results,
      renaming: ["param_logisticregression__C": "param_logisticRegression.c"])
  }

  @Test func neighboursOnIris() async throws {
    let grid = ParameterGrid(KNeighboursClassifier()).varying(\.neighbourCount, [1, 3, 5, 7, 9, 11])
    let results = try await GridSearch(grid, SearchOptions(metrics: [.accuracy])).run(
      on: Dataset(bundled: "iris"), backend: ThreadBackend(workers: 2)
    ).results
    try expectTable("neighboursIris", results, renaming: ["param_n_neighbors": "param_neighbourCount"])
  }

  @Test func naiveBayesOnWine() async throws {
    let grid = ParameterGrid(GaussianNaiveBayes()).varying(\.varSmoothing, [1e-12, 1e-9, 1e-6])
    let options = SearchOptions(splitter: StratifiedKFold(folds: 3), metrics: [.accuracy])
    let results = try await GridSearch(grid, options).run(
      on: Dataset(bundled: "wine"), backend: ThreadBackend(workers: 2)
    ).results
    try expectTable("bayesWine", results, renaming: ["param_var_smoothing": "param_varSmoothing"])
  }

  @Test func allPenaltiesOfAFoldShareOneFitToTheBit() async throws {
    let penalties = try ParameterSpace.log(from: 1e-4, to: 1e4, count: 9)
    let options = SearchOptions(splitter: KFold(folds: 3, shuffle: true), includesTrainScores: true)
    let diabetes = try Dataset(bundled: "diabetes")
    try await expectScoresOfIndependentFits(
      GridSearch(
        ParameterGrid(Ridge()).varying(\.alpha, over: penalties).varying(\.fitIntercept, [true, false]),
        options),
      on: diabetes, slots: 2)
    try await expectScoresOfIndependentFits(
      GridSearch(
        ParameterGrid(Pipeline(StandardScaler(), Ridge())).varying(\.last.alpha, over: penalties)
          .varying(\.first.withMean, [true, false]), options), on: diabetes, slots: 2)
  }

  @Test func tablesAreWrittenAsCSVAndJSON() async throws {
    let data = try numbers()
    let space = try SearchSpace(
      estimators: [AnyEstimator(ScaledMean(refusesNegative: true))],
      parameters: [("factor", .values([.integer(-1), .integer(1)])), ("offset", .values([.real(0.5)]))])
    let results = try await GridSearch(space, SearchOptions(splitter: KFold(folds: 2))).run(
      on: data, backend: SequentialBackend()
    ).results
    let lines = results.table.csv.split(separator: "\n")
    #expect(
      lines[0]
        == "estimator,mean_fit_time,std_fit_time,mean_score_time,std_score_time,param_factor,param_offset,"
        + "params,split0_test_score,split1_test_score,mean_test_score,std_test_score,rank_test_score,"
        + "unconverged_folds")
    #expect(lines[1].contains("-1.0,0.5,\"{\"\"factor\"\":-1,\"\"offset\"\":0.5}\",,,,,2,0"))
    let objects = results.table.objects
    #expect(objects[0]["mean_test_score"] == .null && objects[1]["rank_test_score"] == .integer(1))
    let json = try JSONEncoder.jobs.encode(results)
    EstimatorRegistry.shared.register(ScaledMean.self)
    let read = try JSONDecoder.jobs.decode(SearchResults.self, from: json)
    #expect(read.candidates[1].scores == results.candidates[1].scores)
    #expect(read.candidates[1].estimator == results.candidates[1].estimator)
    #expect(read.failures.map(\.message) == results.failures.map(\.message) && read.failures.count == 2)
  }
}
