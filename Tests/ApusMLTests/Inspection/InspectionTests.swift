import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

private struct InspectionGoldens: Decodable {
  struct Curve: Decodable {
    var x: [Double]
    var y: [Double]
    var thresholds: [Double]
  }
  struct ReportRow: Decodable {
    var precision: Double
    var recall: Double
    var f1: Double
    var support: Double
    enum CodingKeys: String, CodingKey {
      case precision, recall, support
      case f1 = "f1-score"
    }
  }
  struct Calibration: Decodable {
    var observed: [Double]
    var predicted: [Double]
  }
  struct Case: Decodable {
    var truth: [Int32]
    var predicted: [Int32]
    var probabilities: [[Double]]
    var weights: [Double]?
    var roc: Curve
    var precisionRecall: Curve
    var report: [String: ReportRow]
    var reportText: String
    var calibration: [String: Calibration]
  }
  var classification: [String: Case]
}

@Suite struct InspectionGoldenTests {
  private let cases: [String: InspectionGoldens.Case]

  init() throws { cases = try Golden.load("metrics.json", as: InspectionGoldens.self).classification }

  @Test func curvesAreThoseOfScikitLearn() throws {
    for (name, golden) in cases {
      let last = Int32(golden.probabilities[0].count - 1)
      let isPositive = golden.truth.map { $0 == last }
      let scores = golden.probabilities.map { $0[Int(last)] }
      let roc = try ROCCurve(isPositive: isPositive, scores: scores, weights: golden.weights)
      #expect(roc.thresholds == golden.roc.thresholds, "\(name)")
      #expect(relativeDifference(roc.falsePositiveRates, golden.roc.x) < 1e-12, "\(name)")
      if isPositive.contains(true) {
        #expect(relativeDifference(roc.truePositiveRates, golden.roc.y) < 1e-12, "\(name)")
        #expect(
          try roc.area
            == ProbabilityScores.rocAUC(isPositive: isPositive, scores: scores, weights: golden.weights))
      } else {
        #expect(roc.area.isNaN && roc.truePositiveRates.allSatisfy(\.isNaN))
      }
      let curve = try PrecisionRecallCurve(isPositive: isPositive, scores: scores, weights: golden.weights)
      #expect(curve.thresholds == golden.precisionRecall.thresholds, "\(name)")
      #expect(relativeDifference(curve.recalls, golden.precisionRecall.x) < 1e-12, "\(name)")
      #expect(relativeDifference(curve.precisions, golden.precisionRecall.y) < 1e-12, "\(name)")
    }
  }

  @Test func reportsAreThoseOfScikitLearn() throws {
    for (name, golden) in cases {
      let labels = golden.probabilities[0].indices.map { "c\($0)" }
      let confusion = try ConfusionMatrix(
        truth: golden.truth, predicted: golden.predicted, labels: labels, weights: golden.weights)
      let report = ClassificationReport(confusion)
      for row in report.classes + [report.macroAverage, report.weightedAverage] {
        let expected = try #require(golden.report[row.name])
        #expect(
          relativeDifference(
            [row.precision, row.recall, row.f1, row.support],
            [expected.precision, expected.recall, expected.f1, expected.support]) < 1e-12, "\(name)")
      }
      guard golden.weights == nil else { continue }
      func words(_ text: String) -> [Substring] { text.split(whereSeparator: \.isWhitespace) }
      #expect(words(report.description) == words(golden.reportText))
    }
  }

  @Test func calibrationIsThatOfScikitLearn() throws {
    for (name, golden) in cases where golden.weights == nil {
      let last = Int32(golden.probabilities[0].count - 1)
      for (binning, expected) in golden.calibration {
        let curve = try CalibrationCurve(
          isPositive: golden.truth.map { $0 == last },
          probabilities: golden.probabilities.map { $0[Int(last)] },
          bins: 5, binning: #require(CalibrationCurve.Binning(rawValue: binning)))
        #expect(relativeDifference(curve.predicted, expected.predicted) < 1e-12, "\(name) \(binning)")
        #expect(relativeDifference(curve.observed, expected.observed) < 1e-12, "\(name) \(binning)")
        #expect(curve.counts.reduce(0, +) == golden.truth.count)
      }
    }
  }
}

@Suite struct InspectionTests {
  @Test func confusionIsShownAsATable() throws {
    let confusion = try ConfusionMatrix(
      truth: ["cat", "cat", "dog", "dog", "dog"], predicted: ["cat", "dog", "dog", "dog", "cat"])
    #expect(
      confusion.description == """
        true \\ predicted  cat  dog
        cat                 1    1
        dog                 1    2
        """)
    #expect(confusion.normalized(by: .truth) == [[0.5, 0.5], [1.0 / 3, 2.0 / 3]])
    #expect(confusion.normalized(by: .predictions) == [[0.5, 1.0 / 3], [0.5, 2.0 / 3]])
    #expect(confusion.normalized(by: .all) == [[0.2, 0.2], [0.2, 0.4]])
  }

  /// Adds the first feature and twice the second, and never looks at the third.
  private struct TwoOfThree: RegressionModel {
    var featureCount: Int { 3 }
    func predict(_ features: Matrix<Double>, _ compute: ComputeContext) -> [Double] {
      (0..<features.rowCount).map { features[$0, 0] + 2 * features[$0, 1] }
    }
  }

  @Test func shufflingAnUnusedFeatureCostsNothing() throws {
    var random = Seed(2).randomSource()
    let features = Matrix<Double>(rowCount: 400, columnCount: 3) { elements in
      for index in elements.indices { elements[index] = random.normal() }
    }
    let data = try Dataset(features: features, target: .values(TwoOfThree().predict(features, .sequential)))
    let importance = try PermutationImportance(
      of: TwoOfThree(), on: data, metric: .negMeanSquaredError, repeats: 8, .sequential)
    #expect(importance.baseline == 0 && importance.drops[2].allSatisfy { $0 == 0 })
    // Shuffling a feature with variance 1 and coefficient c costs 2c² on average.
    #expect(abs(importance.means[0] - 2) < 0.3 && abs(importance.means[1] - 8) < 1.2)
    #expect(Set(importance.drops[0]).count == 8)
    for threads in [2, 4] {
      let again = try PermutationImportance(
        of: TwoOfThree(), on: data, metric: .negMeanSquaredError, repeats: 8, ComputeContext(threads: threads)
      )
      #expect(again == importance)
    }
    #expect {
      try PermutationImportance(of: TwoOfThree(), on: data, metric: .r2, repeats: 0)
    } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
  }

  @Test func learningCurvesUseTheFirstRowsOfEachFold() async throws {
    let data = try Dataset(
      features: Matrix(rowCount: 10, columnCount: 1), target: .values((0..<10).map { Double($0) }))
    let curve = try await LearningCurve.compute(
      ScaledMean(), on: data, fractions: [0.25, 0.5, 1],
      SearchOptions(splitter: KFold(folds: 2), metrics: [.negMeanAbsoluteError]), backend: SequentialBackend()
    )
    // A quarter of five training rows rounds down to one, a half to two.
    #expect(curve.trainSizes == [1, 2, 5])
    // Fold 0 tests 0 … 4 and learns from 5, from 5 and 6, and from 5 … 9.
    #expect(curve.testScores[0].map { $0[0] } == [-3, -3.5, -5])
    #expect(curve.trainScores[0].map { $0[0] } == [0, -0.5, -1.2])
    await #expect {
      try await LearningCurve.compute(
        ScaledMean(), on: data, fractions: [0, 1], backend: SequentialBackend())
    } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
  }

  @Test func validationCurvesKeepTheOrderOfTheValues() async throws {
    let data = try Dataset(
      features: Matrix(rowCount: 10, columnCount: 1), target: .values((0..<10).map { Double($0 % 2) }))
    let curve = try await ValidationCurve.compute(
      ScaledMean(), varying: "factor", over: .values([.integer(2), .integer(0)]), on: data,
      SearchOptions(splitter: KFold(folds: 5), metrics: [.negMeanAbsoluteError]), backend: SequentialBackend()
    )
    #expect(curve.parameter == "factor" && curve.values == [.real(2), .real(0)])
    #expect(curve.scores[0].map(\.mean) == [-0.5, -0.5])
    #expect(curve.scores[0][0].train?.count == 5)
  }
}
