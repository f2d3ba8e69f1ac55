import Apus
import ApusTestSupport
import Foundation
import Testing

@Suite(.blocking) struct SearchTests {
  static let ridge = [
    "search", "diabetes", "--estimator", "ridge", "--param", "alpha=log(1e-3,1e3,7)",
  ]

  @Test func nestedSearchesSayWhatTheChoiceIsWorth() async throws {
    let arguments = [
      "search", "diabetes", "--estimator", "ridge", "--param", "alpha=[0.01,1,100]", "--scoring", "r2",
      "--nested", "3", "--seed", "5",
    ]
    let run = try ApusBinary.run(arguments: arguments + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    let nested = try #require(run.json()["nested"] as? [String: Any])
    var search = GridSearch(
      ParameterGrid(Ridge()).varying(\.alpha, [0.01, 1, 100]),
      try SearchOptions(metrics: [.named("r2")], seed: Seed(5)))
    search.options.splitter = KFold(folds: 5)
    let expected = try await nestedCrossValidate(
      search, on: Dataset(bundled: "diabetes"), outer: KFold(folds: 3), backend: SequentialBackend())
    #expect(nested["means"] as? [Double] == [expected.summary().mean])
    let folds = try #require(nested["folds"] as? [[String: Any]])
    #expect(folds.map { $0["scores"] as? [Double] } == expected.folds.map(\.scores))
    let people = try ApusBinary.run(arguments: arguments)
    #expect(people.output.contains("On rows that it has not seen (3 outer splits): r2 0."))
    #expect(people.errors.contains("Nested search on outer split 3:"))
    let wrong = try ApusBinary.run(arguments: arguments.map { $0 == "3" ? "trifold" : $0 })
    #expect(wrong.status == 2 && wrong.errors.contains("--nested trifold"))
    let tooMany = try ApusBinary.run(arguments: arguments.map { $0 == "3" ? "500" : $0 } + ["--cv", "2"])
    #expect(tooMany.status == 3 && tooMany.errors.contains("500 folds") && !tooMany.errors.contains("fits"))
  }

  @Test func theResultIsOneObjectWithTheDocumentedKeys() throws {
    let run = try ApusBinary.run(arguments: Self.ridge + ["--cv", "4", "--seed", "7", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let report = try run.json()
    #expect(report["dataset"] as? String == "diabetes")
    #expect(report["seed"] as? Int == 7)
    #expect(report["backend"] as? String == "threads")
    let (elapsed, reading) = (report["elapsedSeconds"] as? Double, report["readingSeconds"] as? Double)
    #expect(try #require(reading) > 0)
    #expect(try #require(elapsed) > reading!)
    #expect((report["failures"] as? [Any])?.isEmpty == true)
    let results = try #require(report["results"] as? [[String: Any]])
    #expect(results.count == 7)
    let keys = Set(results[0].keys)
    #expect(
      keys.isSuperset(of: [
        "estimator", "mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time",
        "param_alpha",
        "params", "split0_test_score", "split3_test_score", "mean_test_score", "std_test_score",
        "rank_test_score",
      ]))
    #expect(!keys.contains("split4_test_score"))
    let best = try #require(report["best"] as? [String: Any])
    let scores = try results.map { try #require($0["mean_test_score"] as? Double) }
    let top = try #require(scores.max())
    #expect(best["score"] as? Double == top)
    #expect(best["estimator"] as? String == "ridge")
    let row = try #require(results.first { $0["rank_test_score"] as? Int == 1 })
    let parameters = try #require(best["parameters"] as? [String: Double])
    #expect(parameters["alpha"] == row["param_alpha"] as? Double)
  }

  @Test func scoresAreTheLibrarysOnEveryBackend() async throws {
    let data = try Dataset(bundled: "diabetes")
    let grid = try ParameterGrid(Ridge()).varying(
      "alpha", over: .log(from: 1e-3, to: 1e3, count: 7))
    let library = try await GridSearch(
      grid, SearchOptions(splitter: KFold(folds: 5), refits: false)
    )
    .run(on: data, backend: SequentialBackend())
    let expected = library.results.candidates.map { $0.scores[0].mean }
    for backend in [
      ["--backend", "sequential"], ["--workers", "1"], ["--workers", "2"],
      ["--backend", "processes", "--workers", "2"],
    ] {
      let run = try ApusBinary.run(arguments: Self.ridge + backend + ["--json"])
      let results = try #require(run.json()["results"] as? [[String: Any]])
      #expect(results.map { $0["mean_test_score"] as? Double } == expected)
    }
  }

  @Test func twoFamiliesShareAListOfParametersAndTheBestIsSaved() throws {
    let scratch = try Scratch()
    let model = scratch.path("best.model")
    let run = try ApusBinary.run(
      "search", "iris", "--estimator", "logistic-regression", "--estimator",
      "standard-scaler+logistic-regression", "--param", "with_mean=[true,false]", "--param",
      "C=[0.01,1]",
      "--output", model, "--results", scratch.path("results.csv"))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("Best: "))
    #expect(run.output.contains("standard-scaler+logistic-regression"))
    #expect(run.output.contains("logisticRegression.c=0.01 standardScaler.withMean=true"))
    #expect(run.errors.contains("apus predict \(model) iris"))
    let lines = try scratch.read("results.csv").split(separator: "\n")
    #expect(lines.count == 7)
    #expect(
      lines[0].hasPrefix(
        "estimator,mean_fit_time,std_fit_time,mean_score_time,std_score_time,param_"))
    let predicted = try ApusBinary.run("predict", model, "iris", "--probabilities")
    #expect(predicted.status == 0, "\(predicted.errors)")
    #expect(
      predicted.output.hasPrefix(
        "species,probability of setosa,probability of versicolor,probability of virginica\n"))
    #expect(predicted.output.split(separator: "\n").count == 151)
  }

  @Test func aFileCanHoldTheSpace() throws {
    let scratch = try Scratch()
    let space = try scratch.write(
      "space.yaml",
      """
      - estimator: ridge
        parameters:
          alpha: log(1e-3, 1e3, 7)
      """)
    let fromFile = try ApusBinary.run("search", "diabetes", "--space", space, "--json").json()
    let fromOptions = try ApusBinary.run(arguments: Self.ridge + ["--json"]).json()
    let scores = { (report: [String: Any]) in
      (report["results"] as? [[String: Any]])?.map { $0["mean_test_score"] as? Double }
    }
    #expect(scores(fromFile) == scores(fromOptions))
    #expect(scores(fromFile)?.count == 7)
  }

  @Test func randomDrawsDependOnTheSeedAlone() throws {
    func alphas(seed: String, draws: String) throws -> [Double] {
      let run = try ApusBinary.run(
        "search", "diabetes", "--estimator", "ridge", "--param", "alpha=loguniform(1e-3,1e3)",
        "--random",
        draws, "--seed", seed, "--json")
      let results = try #require(run.json()["results"] as? [[String: Any]])
      return try results.map { try #require($0["param_alpha"] as? Double) }
    }
    let first = try alphas(seed: "1", draws: "6")
    #expect(first.count == 6)
    #expect(Set(first).count == 6)
    #expect(first.allSatisfy { (1e-3...1e3).contains($0) })
    #expect(try alphas(seed: "1", draws: "4") == Array(first.prefix(4)))
    #expect(try alphas(seed: "2", draws: "6") != first)
  }

  @Test func severalMetricsAndTheOneThatDecides() throws {
    let arguments =
      Self.ridge + ["--scoring", "r2", "--scoring", "neg_mean_absolute_error", "--train-scores"]
    let run = try ApusBinary.run(
      arguments: arguments + ["--refit", "neg_mean_absolute_error", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let report = try run.json()
    let best = try #require(report["best"] as? [String: Any])
    #expect(best["metric"] as? String == "neg_mean_absolute_error")
    let results = try #require(report["results"] as? [[String: Any]])
    for key in ["mean_test_r2", "rank_test_neg_mean_absolute_error", "mean_train_r2"] {
      #expect(results[0][key] != nil, "\(key)")
    }
    let scores = results.compactMap { $0["mean_test_neg_mean_absolute_error"] as? Double }
    #expect(best["score"] as? Double == scores.max())
  }

  @Test func clusteringIsSearchedWithoutATarget() throws {
    let run = try ApusBinary.run(
      "search", "iris", "--target", "none", "--drop", "species", "--estimator", "k-means",
      "--param",
      "clusterCount=[2,3]", "--scoring", "silhouette_score", "--shuffle", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let best = try #require(run.json()["best"] as? [String: Any])
    #expect((best["parameters"] as? [String: Int])?["clusterCount"] == 2)
  }

  @Test func quietSaysNothingBesideTheResult() throws {
    let run = try ApusBinary.run(arguments: Self.ridge + ["--quiet"])
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(run.output.hasPrefix("Rank"))
  }

  @Test func someFailedFitsAreRowsAndAnExitCodeOfTheirOwn() throws {
    let clusters = ["search", "iris", "--estimator", "k-means", "--target", "none", "--drop", "species"]
    let run = try ApusBinary.run(arguments: clusters + ["--param", "clusterCount=[2,130]", "--json"])
    #expect(run.status == 4)
    let report = try run.json()
    let failures = try #require(report["failures"] as? [[String: Any]])
    #expect(failures.count == 5)
    #expect(failures.allSatisfy { $0["candidate"] as? Int == 1 && $0["reason"] as? String == "threw" })
    #expect((report["best"] as? [String: Any])?["candidate"] as? Int == 0)
    let results = try #require(report["results"] as? [[String: Any]])
    #expect(results[1]["mean_test_score"] is NSNull)
    #expect(run.errors.contains("130 clusters"))

    let none = try ApusBinary.run(arguments: clusters + ["--param", "clusterCount=[130]"])
    #expect(none.status == 5)
    #expect(none.output.isEmpty)
    #expect(none.errors.contains("all 5 fits failed"))
  }

  @Test func fitsThatDidNotConvergeAreNotedAndCounted() throws {
    let scratch = try Scratch()
    let results = scratch.path("results.csv")
    let arguments = [
      "search", "iris", "--estimator", "logistic-regression", "--param", "maxIterations=[1,1000]", "--cv",
      "3",
    ]
    let run = try ApusBinary.run(arguments: arguments + ["--results", results])
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n").filter { $0.contains("maxIterations=") }
    let ranking = lines.filter { !$0.hasPrefix("Best") }
    #expect(ranking.count == 2)
    for line in ranking {
      #expect(line.contains("not converged") == line.contains("maxIterations=1 "), "\(line)")
    }
    #expect(run.errors.contains("3 of 6 fits stopped before they converged"), "\(run.errors)")
    let table = try String(contentsOfFile: results, encoding: .utf8).split(separator: "\n")
    #expect(table[0].hasSuffix("unconverged_folds,max_n_iter,max_residual"))
    #expect(table[1].contains(",3,1,") && table[2].contains(",0,"))
    let report = try ApusBinary.run(arguments: arguments + ["--json"]).json()
    let rows = try #require(report["results"] as? [[String: Any]])
    #expect(rows[0]["unconverged_folds"] as? Int == 3 && rows[0]["max_n_iter"] as? Int == 1)
    let residuals = try rows.map { try #require($0["max_residual"] as? Double) }
    #expect(residuals[0] > 1e-4 && residuals[1] <= 1e-4)
  }

  /// A model that did not converge does not pass for success, where it is scored, chosen or saved.
  @Test func aBestModelThatDidNotConvergeSaysSo() throws {
    let scratch = try Scratch()
    let (model, study) = (scratch.path("best.model"), scratch.path("a.sqlite"))
    let search = [
      "search", "iris", "--estimator", "logistic-regression", "--param", "maxIterations=[2]", "--cv", "3",
      "--output", model, "--study", study,
    ]
    let run = try ApusBinary.run(arguments: search)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("(NOT converged on 3 folds)"), "\(run.output)")
    let warning = "fitted on all rows, has NOT converged after 2 iterations, residual "
    #expect(run.errors.contains("the best model, \(warning)"), "\(run.errors)")
    let report = try ApusBinary.run(arguments: search + ["--json"]).json()
    let best = try #require(report["best"] as? [String: Any])
    #expect(best["unconvergedFolds"] as? [Int] == [0, 1, 2] && best["iterations"] as? Int == 2)
    #expect(try #require(best["residual"] as? Double) > 1e-4)
    let refit = try #require(report["refitConvergence"] as? [String: Any])
    #expect(refit["converged"] as? Bool == false)

    let saved = try ApusBinary.run("study", "best", study, "iris", "--output", model)
    #expect(saved.status == 0 && saved.errors.contains("3 of 3 fits of it stopped before they converged"))
    #expect(saved.errors.contains("the model, \(warning)"), "\(saved.errors)")
    let evaluation = [
      "evaluate", "iris", "--estimator", "logistic-regression", "--cv", "3", "--set",
    ]
    let short = try ApusBinary.run(arguments: evaluation + ["maxIterations=2"])
    #expect(short.errors.contains("after 2 iterations with a residual of up to "), "\(short.errors)")
    let long = try ApusBinary.run(arguments: evaluation + ["maxIterations=1000"])
    #expect(long.errors.contains("All fits converged, after at most "), "\(long.errors)")
    let page = scratch.path("a.html")
    #expect(try ApusBinary.run("study", "report", study, "--output", page).status == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("\"unconverged\":3"))
  }

  @Test func aReaderThatLeavesInTheMiddleIsNoError() throws {
    let scratch = try Scratch()
    let model = scratch.path("letter.model")
    let fit = try ApusBinary.run(
      "fit", "letter", "--estimator", "k-means", "--set", "clusterCount=2", "-o", model)
    #expect(fit.status == 0, "\(fit.errors)")
    // Some 40 kB, more than fits into what head reads before it leaves.
    let run = try ApusBinary.shell(
      "'\(ApusBinary.url.path)' predict '\(model)' letter --json | head -1; echo ${PIPESTATUS[0]}")
    #expect(run.output == "{\n0\n")
    #expect(run.errors.isEmpty)
  }

  @Test func aReaderThatTakesOneLineIsNoError() throws {
    let scratch = try Scratch()
    let model = scratch.path("best.model")
    let command = "'\(ApusBinary.url.path)' \(Self.ridge.map { "'\($0)'" }.joined(separator: " "))"
    let script = "\(command) --output '\(model)' --top 100 | head -1; echo ${PIPESTATUS[0]}"
    let run = try ApusBinary.shell(script)
    #expect(run.output.hasPrefix("Rank"))
    #expect(run.output.hasSuffix("\n0\n"))
    #expect(!run.errors.contains("Error"))
    #expect(FileManager.default.fileExists(atPath: model))
  }
}
