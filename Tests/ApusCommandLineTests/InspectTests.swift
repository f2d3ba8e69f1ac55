import Apus
import Foundation
import Testing

/// `apus inspect` through the real program.
@Suite(.blocking) struct InspectTests {
  private func model(_ scratch: Scratch, _ name: String, _ arguments: [String]) throws -> String {
    let path = scratch.path(name)
    let run = try ApusBinary.run(arguments: ["fit"] + arguments + ["--output", path])
    try #require(run.status == 0, "\(run.errors)")
    return path
  }

  /// Whatever the report says of classes is what the library says.
  @Test func twoClassesHaveScoresCurvesAndCalibration() throws {
    let scratch = try Scratch()
    let path = try model(
      scratch, "a.model",
      [
        "breast-cancer", "--estimator", "random-forest-classifier", "--set", "treeCount=20", "--set",
        "maxDepth=2",
        "--set", "outOfBagScore=true",
      ])
    let run = try ApusBinary.run("inspect", path, "breast-cancer", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let report = try JSONDecoder.jobs.decode(Report.self, from: Data(run.output.utf8))

    let data = try Dataset(bundled: "breast-cancer")
    let saved = try SavedModel(contentsOf: path)
    let evaluation = Evaluation(saved.model, on: data)
    #expect(try report.classes == ClassificationReport(evaluation.confusion()))
    let total = report.confusion.flatMap(\.self).reduce(0, +)
    #expect(report.labels == data.classLabels && total == Double(data.rowCount))
    #expect(report.curves.count == 1 && report.curves[0].label == data.classLabels[1])
    let isPositive = try evaluation.trueClasses().map { $0 == 1 }
    let roc = try ROCCurve(isPositive: isPositive, scores: evaluation.probabilities().column(1))
    #expect(report.curves[0].roc == roc && roc.area > 0.97)
    #expect(report.curves[0].calibration?.counts.reduce(0, +) == data.rowCount)
    let importance = try PermutationImportance(of: saved.model, on: data, metric: .accuracy)
    #expect(report.importances.map(\.fall) == importance.means)
    let forest = try #require(saved.model as? ForestClassifierModel)
    #expect(report.importances.map(\.impurityShare) == forest.featureImportances)
    #expect(report.outOfBagScore == forest.outOfBag?.score)

    let text = try ApusBinary.run("inspect", path, "breast-cancer", "--top", "3", "--scoring", "roc_auc")
    for part in [
      "precision", "true \\ predicted", "Area under ROC", "Observed", "Fall of roc_auc when shuffled",
      "… and 27 more", "out of bag",
    ] { #expect(text.output.contains(part), "\(part): \(text.output)") }
    let fit = try ApusBinary.run(
      "fit", "breast-cancer", "--estimator", "random-forest-classifier", "--set", "outOfBagScore=true")
    #expect(fit.output.contains("  out of bag: 0.9"), "\(fit.output)")
  }

  private struct Report: Decodable {
    struct Curves: Decodable {
      var label: String
      var roc: ROCCurve
      var calibration: CalibrationCurve?
    }
    struct Importance: Decodable {
      var fall: Double
      var impurityShare: Double
    }
    var classes: ClassificationReport
    var labels: [String]
    var confusion: [[Double]]
    var curves: [Curves]
    var importances: [Importance]
    var outOfBagScore: Double?
  }

  @Test func numbersHaveErrorsAndImportances() throws {
    let scratch = try Scratch()
    let table = try scratch.write(
      "line.csv",
      "a,b,y\n" + (0..<60).map { "\($0),\($0 * 7 % 11),\(3 * $0 + ($0 == 20 ? 30 : 0))\n" }.joined())
    let path = try model(scratch, "a.model", [table, "--target", "y", "--estimator", "linear-regression"])
    let report = try ApusBinary.run("inspect", path, table, "--json", "--repeats", "3").json()
    let residuals = try #require(report["residuals"] as? [String: Any])
    // The one row off the line is predicted far too low.
    #expect(try #require(residuals["smallest"] as? Double) < -25)
    #expect(try abs(#require(residuals["median"] as? Double)) < 1.5)
    let importances = try #require(report["importances"] as? [[String: Any]])
    let falls = try importances.map { try #require($0["fall"] as? Double) }
    #expect(falls[0] > 1 && abs(falls[1]) < 0.01)
    #expect(report["importanceMetric"] as? String == "r2" && report["classes"] == nil)
    let text = try ApusBinary.run("inspect", path, table, "--repeats", "0")
    #expect(text.output.contains("Errors (predicted − true): from -") && !text.output.contains("shuffled"))
  }

  @Test func whatCannotBeInspectedIsRefused() throws {
    let scratch = try Scratch()
    let clusters = try model(
      scratch, "c.model", ["iris", "--estimator", "k-means", "--set", "clusterCount=3"])
    let run = try ApusBinary.run("inspect", clusters, "iris")
    #expect(run.status == 2 && run.errors.contains("neither classes nor numbers"), "\(run.errors)")
    let path = try model(scratch, "a.model", ["iris", "--estimator", "svc"])
    let table = try scratch.write("rows.csv", "sepal_length,sepal_width,petal_length,petal_width\n1,2,3,4\n")
    let bare = try ApusBinary.run("inspect", path, table)
    #expect(bare.status == 3 && bare.errors.contains("to compare predictions with"), "\(bare.errors)")
    #expect(try ApusBinary.run("inspect", path, "iris", "--repeats", "-1").status == 2)
    // A support vector machine without probabilities has no curves.
    let plain = try ApusBinary.run("inspect", path, "iris", "--repeats", "1")
    #expect(plain.status == 0 && !plain.output.contains("Area under ROC"), "\(plain.errors)")
  }
}
