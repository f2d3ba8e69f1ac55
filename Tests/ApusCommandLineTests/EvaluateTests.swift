import Apus
import ApusTestSupport
import Foundation
import Testing

@Suite(.blocking) struct EvaluateTests {
  @Test func foldsAreTheLibrarys() async throws {
    let run = try ApusBinary.run(
      "evaluate", "diabetes", "--estimator", "ridge", "--set", "alpha=2", "--cv", "4", "--scoring",
      "r2",
      "--json")
    #expect(run.status == 0, "\(run.errors)")
    var ridge = Ridge()
    ridge.alpha = 2
    let library = try await crossValidate(
      ridge, on: Dataset(bundled: "diabetes"),
      SearchOptions(splitter: KFold(folds: 4), metrics: [.r2]),
      backend: SequentialBackend())
    let scores = try #require((run.json()["scores"] as? [String: [String: Any]])?["r2"])
    #expect(scores["test"] as? [Double] == library.candidates[0].scores[0].test)
    #expect(scores["mean"] as? Double == library.candidates[0].scores[0].mean)
  }

  @Test(arguments: [
    ("k-fold:3", 3), ("stratified:4", 4), ("shuffle:3:0.25", 3), ("stratified-shuffle:2:0.5", 2),
    ("repeated:3:2", 6), ("repeated-stratified:2:2", 4), ("time-series:3", 3), ("6", 6),
  ])
  func everyWayToDivideRows(cv: String, splits: Int) throws {
    let scratch = try Scratch()
    let data = try scratch.write("sizes.csv", SampleData.sizes)
    let run = try ApusBinary.run(
      "evaluate", data, "--target", "kind", "--estimator", "logistic-regression", "--cv", cv,
      "--json")
    #expect(run.status == 0, "\(run.errors)")
    let report = try run.json()
    #expect(report["folds"] as? Int == splits)
    let accuracy = try #require((report["scores"] as? [String: [String: Any]])?["accuracy"])
    #expect((accuracy["test"] as? [Double])?.count == splits)
  }

  @Test func groupsStayTogether() throws {
    let scratch = try Scratch()
    var text = "x,group,y\n"
    for row in 0..<30 { text += "\(row % 7),\(row / 10),\(row % 7 * 2)\n" }
    let data = try scratch.write("grouped.csv", text)
    for cv in ["group:3", "predefined"] {
      let run = try ApusBinary.run(
        "evaluate", data, "--target", "y", "--groups", "group", "--estimator", "ridge", "--cv", cv,
        "--json")
      #expect(run.status == 0, "\(run.errors)")
      #expect(try run.json()["folds"] as? Int == 3)
    }
    let without = try ApusBinary.run(
      "evaluate", data, "--target", "y", "--estimator", "ridge", "--cv", "group:3")
    #expect(without.status == 2)
    #expect(without.errors.contains("--groups COLUMN"))
  }

  @Test func theTableNamesMetricsAndFolds() throws {
    let run = try ApusBinary.run(
      "evaluate", "iris", "--estimator", "logistic-regression", "--cv", "3")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.hasPrefix("logistic-regression on iris, 150 rows × 4 features\n"))
    for word in ["Mean ± std", "Fold 2", "accuracy", "balanced_accuracy", "f1_macro"] {
      #expect(run.output.contains(word))
    }
    #expect(!run.output.contains("Fold 3"))
  }

  @Test func weightsCountInFitsAndScores() throws {
    let scratch = try Scratch()
    // The last rows contradict the others, but weigh nothing.
    var text = "x,w,y\n"
    for row in 0..<30 { text += "\(row),1,\(2 * row)\n" }
    for row in 0..<10 { text += "\(row),0,\(1000 - row)\n" }
    let data = try scratch.write("weighted.csv", text)
    let run = try ApusBinary.run(
      "evaluate", data, "--target", "y", "--weights", "w", "--estimator", "ridge", "--set",
      "alpha=0", "--cv",
      "k-fold:4", "--shuffle", "--scoring", "neg_mean_squared_error", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let scores = try #require(
      (run.json()["scores"] as? [String: [String: Any]])?["neg_mean_squared_error"])
    #expect(try #require(scores["mean"] as? Double) > -1e-15)
  }
}
