import Apus
import ApusTestSupport
import Foundation
import Testing

@Suite(.blocking) struct FitTests {
  @Test func reportsWhatAnotherToolCanBeTimedAgainst() throws {
    let scratch = try Scratch()
    let train = try scratch.write("train.csv", SampleData.line)
    let test = try scratch.write("test.csv", "b,y,a\n1,2,0\n0,5,1\n4,9,5\n")
    let run = try ApusBinary.run(
      "fit", train, "--target", "y", "--estimator", "ridge", "--set", "alpha=0", "--test", test,
      "--threads", "1", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.isEmpty)
    let report = try run.json()
    #expect(report["estimator"] as? String == "ridge")
    #expect((report["parameters"] as? [String: Any])?["alpha"] as? Double == 0)
    #expect(report["rows"] as? Int == 40)
    #expect(report["features"] as? Int == 2)
    #expect(report["testRows"] as? Int == 3)
    #expect(report["threads"] as? Int == 1)
    for step in ["load", "fit", "predict"] {
      let cost = try #require((report["seconds"] as? [String: [String: Double]])?[step])
      #expect(try #require(cost["wall"]) > 0)
      #expect(try #require(cost["cpu"]) > 0)
    }
    let memory = try #require(report["memory"] as? [String: Int])
    #expect(try #require(memory["peakBytes"]) > 1 << 20)
    #expect(try #require(memory["fitGrowthBytes"]) >= 0)
    let metrics = try #require(report["metrics"] as? [String: Double])
    #expect(abs(try #require(metrics["r2"]) - 1) < 1e-9)
    #expect(try #require(metrics["mean_squared_error"]) < 1e-18)
  }

  @Test func aSavedModelPredictsWhatTheLibraryPredicts() throws {
    let scratch = try Scratch()
    let model = scratch.path("iris.model")
    let run = try ApusBinary.run(
      "fit", "iris", "--estimator", "logistic-regression", "--set", "C=0.5", "--output", model)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("logistic-regression on iris, 150 rows × 4 features"))
    #expect(run.errors.contains("apus predict \(model) iris"))

    let data = try Dataset(bundled: "iris")
    let library = try AnyEstimator(named: "logistic-regression", parameters: ["c": .real(0.5)])
    let expected = try LibraryFit(library, data).labels
    let predicted = try ApusBinary.run("predict", model, "iris")
    #expect(predicted.status == 0, "\(predicted.errors)")
    #expect(predicted.errors.isEmpty)
    #expect(predicted.output.split(separator: "\n").map(String.init) == ["species"] + expected)
  }

  @Test func metricsThatAModelCannotGiveAreLeftOut() throws {
    let scratch = try Scratch()
    for (option, hasLogLoss) in [("probability=false", false), ("probability=true", true)] {
      let run = try ApusBinary.run(
        "fit", "iris", "--estimator", "standard-scaler+svc", "--set", option, "--test", "iris", "--json")
      #expect(run.status == 0, "\(run.errors)")
      let metrics = try #require(try run.json()["metrics"] as? [String: Double])
      #expect(try #require(metrics["accuracy"]) > 0.95)
      #expect((metrics["log_loss"] != nil) == hasLogLoss)
    }
    let model = scratch.path("svc.model")
    #expect(try ApusBinary.run("fit", "iris", "--estimator", "svc", "-o", model).status == 0)
    let predicted = try ApusBinary.run("predict", model, "iris", "--probabilities")
    #expect(
      predicted.status == 2 && predicted.errors.contains("--set probability=true"), "\(predicted.errors)")
  }

  @Test func aFitThatDidNotConvergeSaysSo() throws {
    let estimators = ["logistic-regression", "linear-svc", "svc", "sgd-classifier"]
    for estimator in estimators {
      let arguments = ["fit", "breast-cancer", "--estimator", estimator, "--set", "maxIterations=1"]
      let run = try ApusBinary.run(arguments: arguments)
      #expect(run.status == 0, "\(run.errors)")
      #expect(
        run.output.contains("NOT converged after 1 iteration, residual "), "\(estimator): \(run.output)")
      let report = try ApusBinary.run(arguments: arguments + ["--json"]).json()
      let convergence = try #require(report["convergence"] as? [String: Any])
      #expect(convergence["converged"] as? Bool == false)
      #expect(convergence["iterations"] as? Int == 1)
      #expect(try #require(convergence["residual"] as? Double) > 0)
    }
    let run = try ApusBinary.run(
      "fit", "breast-cancer", "--estimator", "sgd-classifier", "--set", "tolerance=null", "--set",
      "maxIterations=1")
    #expect(run.status == 0 && !run.output.contains("converged"), "\(run.output)")
  }

  @Test func clustersNeedNoTargetAndAreMeasuredOnTheirRows() throws {
    let scratch = try Scratch()
    let data = try scratch.write("points.csv", "x,y\n0,0\n0,1\n10,0\n10,1\n20,0\n20,1\n")
    let model = scratch.path("clusters.model")
    let run = try ApusBinary.run(
      "fit", data, "--estimator", "k-means", "--set", "clusterCount=3", "--json", "--output", model)
    #expect(run.status == 0, "\(run.errors)")
    // Three pairs, each point half a unit from its centre: 6 × 0.25.
    let metrics = try #require(run.json()["metrics"] as? [String: Double])
    #expect(abs(try #require(metrics["inertia"]) - 1.5) < 1e-12)
    let predicted = try ApusBinary.run("predict", model, data, "--json")
    let clusters = try #require(predicted.json()["predictions"] as? [Int])
    #expect(clusters[0] == clusters[1] && clusters[2] == clusters[3] && clusters[4] == clusters[5])
    #expect(Set(clusters).count == 3)
  }

  @Test func theEstimatorDecidesHowATargetOfNumbersIsRead() throws {
    let digits = try ApusBinary.run("fit", "digits", "--estimator", "ridge", "--json")
    #expect(digits.status == 0, "\(digits.errors)")
    let scratch = try Scratch()
    let data = try scratch.write("numbers.csv", "a,b\n1,0\n2,0\n3,1\n4,1\n5,0\n6,1\n")
    let run = try ApusBinary.run(
      "fit", data, "--target", "b", "--estimator", "logistic-regression", "--test", data, "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(try #require(run.json()["metrics"] as? [String: Double])["accuracy"] != nil)
  }

  @Test func pipelinesAreNamedByTheirSteps() throws {
    let run = try ApusBinary.run(
      "fit", "wine", "--estimator", "standard-scaler+logistic-regression", "--set",
      "logisticregression__C=0.1", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let parameters = try #require(run.json()["parameters"] as? [String: Any])
    #expect(parameters["logisticRegression.c"] as? Double == 0.1)
  }

  @Test func theSameSeedGivesTheSameBytesOnAnyNumberOfThreads() throws {
    let scratch = try Scratch()
    for threads in ["1", "2"] {
      let run = try ApusBinary.run(
        "fit", "iris", "--estimator", "k-means", "--set", "clusterCount=3", "--seed",
        "3",
        "--threads", threads, "--output", scratch.path("\(threads).model"))
      #expect(run.status == 0, "\(run.errors)")
    }
    #expect(try scratch.read("1.model") == scratch.read("2.model"))
  }
}

/// What the library itself predicts for the rows it was fitted on.
struct LibraryFit {
  let labels: [String]

  init(_ estimator: AnyEstimator, _ data: Dataset) throws {
    func fit<E: Estimator>(_ estimator: E) throws -> any FittedModel { try estimator.fit(data) }
    let model = try #require(try fit(estimator.base) as? any ClassificationModel)
    labels = try model.predictLabels(data.features)
  }
}
