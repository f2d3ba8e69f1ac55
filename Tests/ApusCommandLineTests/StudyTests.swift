import Apus
import Foundation
import Testing

/// Studies through the real program.
@Suite(.blocking) struct StudyTests {
  private static let search = [
    "search", "iris", "--estimator", "random-forest-classifier", "--param", "treeCount=[20,30,40,50,60,70]",
    "--param", "maxDepth=range(1,10)", "--cv", "5", "--scoring", "accuracy", "--scoring", "neg_log_loss",
  ]

  @Test func killedAHundredTimesTheStudyIsThatOfAnUndisturbedRun() throws {
    let scratch = try Scratch()
    let quiet = scratch.path("undisturbed.sqlite")
    let whole = try ApusBinary.run(arguments: Self.search + ["--study", quiet, "--quiet"])
    try #require(whole.status == 0, "\(whole.errors)")
    let expected = try StudyKilling.table(quiet)
    #expect(expected.count == 60)
    try StudyKilling.kill(Self.search, times: 100, in: scratch) { (path: String) throws -> Void in
      #expect(try StudyKilling.table(path) == expected)
      #expect(try StudyKilling.repeatedFits(path) == 0)
    }
  }

  @Test(arguments: [
    ["--method", "tpe", "--random", "30"],
    ["--method", "halving", "--resource", "treeCount", "--most", "60"],
    ["--method", "hyperband", "--resource", "treeCount", "--most", "27"],
    ["--racing"],
  ]) func aSearchThatDecidesAsItGoesSurvivesKillsToo(method: [String]) throws {
    let scratch = try Scratch()
    let search =
      [
        "search", "iris", "--estimator", "random-forest-classifier", "--param", "maxDepth=range(1,6)",
        "--param", "minSamplesLeaf=[1,2,4,8]", "--param", "maxFeatures=[1,2,4]", "--scoring", "neg_log_loss",
      ] + method
    let quiet = scratch.path("undisturbed.sqlite")
    let whole = try ApusBinary.run(arguments: search + ["--study", quiet, "--quiet"])
    try #require(whole.status == 0, "\(whole.errors)")
    let expected = try StudyKilling.table(quiet)
    try StudyKilling.kill(search, times: 8, in: scratch) { (path: String) throws -> Void in
      #expect(try StudyKilling.repeatedFits(path) == 0)
      // Brackets run side by side, and candidates stand in the order in which they came.
      #expect(try StudyKilling.table(path).count == expected.count)
      #expect(try Set(StudyKilling.table(path)) == Set(expected))
    }
  }

  /// Its decisions depend on time, so a run that was killed may end elsewhere than one that was not; but what was decided
  /// is never decided otherwise, and whoever runs the search again gets the same table.
  @Test func asynchronousHalvingRepeatsItsDecisionsAfterKills() throws {
    let scratch = try Scratch()
    let search = [
      "search", "iris", "--estimator", "random-forest-classifier", "--param", "maxDepth=range(1,6)",
      "--param", "minSamplesLeaf=[1,2,4,8]", "--scoring", "neg_log_loss", "--method", "asha",
      "--resource", "treeCount", "--most", "9",
    ]
    try StudyKilling.kill(search, times: 8, in: scratch) { (path: String) throws -> Void in
      #expect(try StudyKilling.repeatedFits(path) == 0)
      let table = try StudyKilling.table(path)
      let decisions = try StudyKilling.decisions(path)
      // Each of the 24 candidates was tried with one tree, and of each third the best with three times as many.
      let trees = Dictionary(grouping: table) { $0["param_treeCount"] ?? .null }.mapValues(\.count)
      #expect(
        trees[.integer(1)] == 24 && trees[.integer(3), default: 0] >= 8 && trees[.integer(9), default: 0] >= 2
      )
      let again = try ApusBinary.run(arguments: search + ["--study", path])
      #expect(again.errors.contains("were finished before"), "\(again.errors)")
      #expect(try StudyKilling.table(path) == table)
      #expect(try StudyKilling.decisions(path) == decisions && !decisions.isEmpty)
    }
  }

  @Test func nestedSearchesAreKeptToo() throws {
    let scratch = try Scratch()
    let search = [
      "search", "iris", "--estimator", "random-forest-classifier", "--param", "treeCount=[20,30,40]",
      "--param", "maxDepth=range(1,5)", "--scoring", "neg_log_loss", "--nested", "3", "--json",
    ]
    let quiet = scratch.path("undisturbed.sqlite")
    let whole = try ApusBinary.run(arguments: search + ["--study", quiet])
    try #require(whole.status == 0, "\(whole.errors)")
    let unkept = try ApusBinary.run(arguments: search).json()["nested"] as? NSDictionary
    let expected = try whole.json()["nested"] as? NSDictionary
    #expect(expected != nil && expected == unkept)
    let list = try ApusBinary.run("study", "list", quiet, "--json").json()
    let studies = try #require(list["studies"] as? [[String: Any]])
    // What the search is worth is kept with it, and told wherever the study is looked at.
    let nested = try #require((studies[0]["nested"] as? [[String: Any]])?.first)
    #expect(
      nested["scores"] as? [Double]
        == (expected?["folds"] as? [[String: Any]])?.compactMap {
          ($0["scores"] as? [Double])?.first
        })
    let shown = try ApusBinary.run("study", "show", quiet).output
    #expect(shown.contains("On rows that it has not seen (3 outer splits): neg_log_loss -0."))
    let page = try ApusBinary.run("study", "report", quiet, "--output", scratch.path("nested.html"))
    #expect(page.status == 0)
    #expect(try String(contentsOfFile: scratch.path("nested.html"), encoding: .utf8).contains("\"splits\":3"))
    #expect(studies.map { $0["partOf"] as? Int } == [nil, 1, 1, 1])
    #expect(studies.last?["part"] as? String == "outer split 3 of 3, StratifiedKFold")
    #expect(studies.map { $0["fits"] as? Int } == [75, 75, 75, 75])
    // The file's latest study is that of the search itself.
    #expect(try ApusBinary.run("study", "show", quiet).output.hasPrefix("Study 1, begun"))
    #expect(
      try ApusBinary.run("study", "show", quiet, "--study", "3").output.hasPrefix(
        "Study 3, outer split 2 of 3, StratifiedKFold of study 1, begun"))

    try StudyKilling.kill(search, times: 8, in: scratch) { (path: String) throws -> Void in
      #expect(try StudyKilling.repeatedFits(path) == 0)
      let again = try ApusBinary.run(arguments: search + ["--study", path])
      #expect(try again.json()["nested"] as? NSDictionary == expected)
      #expect(again.errors.components(separatedBy: "75 of 75 fits were finished before").count == 5)
      for study in ["1", "2", "3", "4"] {
        #expect(try StudyKilling.table(path, study: study) == StudyKilling.table(quiet, study: study))
      }
    }

    // Another division of the rows adds its searches, and the study is removed with all of them.
    let other = try ApusBinary.run(arguments: search + ["--nested", "2", "--study", quiet])
    #expect(other.status == 0, "\(other.errors)")
    #expect(try ApusBinary.run("study", "list", quiet).output.contains("1: outer split 2 of 2"))
    let beside = try ApusBinary.run(
      arguments: search + ["--nested", "2", "--study", quiet, "--seed", "9", "--new"])
    #expect(beside.status == 0, "\(beside.errors)")
    // The two searches are compared, and not a part of one of them.
    #expect(
      try ApusBinary.run("study", "diff", quiet).output.contains(
        "Settings: the seed was 0, and is 9\nCandidates: "))
    #expect(try ApusBinary.run("study", "gc", quiet, "--remove", "1").status == 0)
    #expect(try StudyFile(quiet).studies().map(\.description.number) == [7, 8, 9])
    #expect(try ApusBinary.run("study", "gc", quiet, "--remove", "7").status == 0)
    #expect(try StudyFile(quiet).studies().isEmpty)
  }

  @Test func theSameCommandContinuesAndAnotherIsRefused() throws {
    let scratch = try Scratch()
    let study = scratch.path("sweep.sqlite")
    let first = try ApusBinary.run(arguments: Self.search + ["--study", study])
    #expect(first.status == 0, "\(first.errors)")
    let again = try ApusBinary.run(arguments: Self.search + ["--study", study])
    #expect(again.errors.contains("300 of 300 fits were finished before"))
    #expect(again.output.contains("Best: random-forest-classifier"))
    let other = try ApusBinary.run(arguments: Self.search + ["--study", study, "--seed", "5"])
    #expect(other.status == 2)
    #expect(other.errors.contains("the seed was 0, and is 5") && other.errors.contains("--new"))
    let anew = try ApusBinary.run(arguments: Self.search + ["--study", study, "--seed", "5", "--new"])
    #expect(anew.status == 0, "\(anew.errors)")
    let list = try ApusBinary.run("study", "list", study, "--json").json()
    let studies = try #require(list["studies"] as? [[String: Any]])
    #expect(studies.map { $0["seed"] as? Int } == [0, 5])
    #expect(studies.map { $0["fits"] as? Int } == [300, 300])
    #expect((studies[0]["command"] as? String)?.contains("apus search iris") == true)
    #expect(try ApusBinary.run("search", "iris", "--estimator", "ridge", "--new").status == 2)

    let diff = try ApusBinary.run("study", "diff", study)
    #expect(diff.status == 0 && diff.output.contains("Settings: the seed was 0, and is 5"))
    #expect(diff.output.contains("60 in both"))
    #expect(try ApusBinary.run("study", "gc", study, "--remove", "1").status == 0)
    #expect(try ApusBinary.run("study", "list", study).output.contains("300 of 300"))
  }

  @Test func eachCommandIsToldOnce() throws {
    let scratch = try Scratch()
    let study = scratch.path("sweep.sqlite")
    for values in ["[1,10]", "[1,10,100]", "[1,10]"] {
      let run = try ApusBinary.run(
        "search", "iris", "--estimator", "svc", "--param", "c=\(values)", "--study", study)
      try #require(run.status == 0, "\(run.errors)")
    }
    let begin = "apus search iris --estimator svc --param "
    let commands = ["'c=[1,10]'", "'c=[1,10,100]'"].map { "\(begin)\($0) --study \(study)" }
    #expect(try StudyFile(reading: study).study().notes() == commands)
    let page = try ApusBinary.run("study", "report", study, "--output", scratch.path("page.html"))
    #expect(page.status == 0)
    #expect(try scratch.read("page.html").contains("c=[1,10,100]"))
  }

  @Test func theBestIsShownFittedAndSaved() throws {
    let scratch = try Scratch()
    let (study, model) = (scratch.path("sweep.sqlite"), scratch.path("best.model"))
    let run = try ApusBinary.run(
      arguments: Self.search + ["--study", study, "--output", scratch.path("a.model"), "--json"])
    let best = try #require(run.json()["best"] as? [String: Any])
    let show = try ApusBinary.run("study", "show", study, "--top", "1", "--json").json()
    let shown = try #require((show["best"] as? [[String: Any]])?.first)
    #expect(shown["mean_test_accuracy"] as? Double == best["score"] as? Double)
    #expect(shown["rank_test_accuracy"] as? Int == 1)
    #expect(try ApusBinary.run("study", "show", study).output.contains("60 candidates, finished"))
    let saved = try ApusBinary.run("study", "best", study, "iris", "--output", model)
    #expect(saved.status == 0, "\(saved.errors)")
    let one = try ApusBinary.run("predict", scratch.path("a.model"), "iris")
    let other = try ApusBinary.run("predict", model, "iris")
    #expect(one.output == other.output && !one.output.isEmpty)
    let wrong = try ApusBinary.run("study", "best", study, "wine", "--output", model)
    #expect(wrong.status == 3 && wrong.errors.contains("does not hold the rows"))
  }

  @Test func studiesOfSeveralFilesAreListed() throws {
    let scratch = try Scratch()
    let (one, other) = (scratch.path("one.sqlite"), scratch.path("other.sqlite"))
    let ridge = [
      "search", "diabetes", "--estimator", "ridge", "--param", "alpha=log(1e-3,1e2,40)", "--study",
    ]
    #expect(try ApusBinary.run(arguments: ridge + [one]).status == 0)
    let halving = [
      "search", "iris", "--estimator", "svc", "--param", "c=[0.1,1,10]", "--param", "gamma=[0.1,1,10]",
      "--method", "halving", "--least", "30", "--study", other,
    ]
    #expect(try ApusBinary.run(arguments: halving).status == 0)
    let list = try ApusBinary.run("study", "list", one, other)
    let lines = list.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[0].hasPrefix("File"), "\(list.output)")
    #expect(lines[1].contains("one.sqlite") && lines[1].contains("200 of 200"))
    // Nine candidates on 30 rows, then the best three on 90.
    #expect(lines[2].contains("60, 60 of them on part of the rows"), "\(list.output)")
    #expect(
      try ApusBinary.run("study", "show", other).output.contains("fits: 60, 60 of them on part of the rows"))
    // A row for each part of the rows that a candidate was tried on, as the search itself prints them.
    let whole = try ApusBinary.run(arguments: halving + ["--json"])
    let report = try JSONDecoder.jobs.decode(ParameterValue.self, from: Data(whole.output.utf8))
    guard case .object(let entries) = report, case .list(let searched) = entries["results"] else {
      throw CocoaError(.fileReadCorruptFile)
    }
    func essence(_ row: [String: ParameterValue]) -> String {
      ["iter", "n_resources", "mean_test_score", "rank_test_score", "params"].map { "\(row[$0] ?? .null)" }
        .joined(
          separator: " ")
    }
    let rows = try StudyKilling.table(other).map(essence).sorted()
    #expect(rows.count == 12 && rows[0].hasPrefix("0 30 ") && rows[11].hasPrefix("1 90 "))
    #expect(
      rows
        == searched.map { row in
          if case .object(let cells) = row { essence(cells) } else { "" }
        }.sorted())
    let json = try ApusBinary.run("study", "list", one, other, "--json").json()
    let studies = try #require(json["studies"] as? [[String: Any]])
    #expect(studies.map { $0["file"] as? String } == [one, other])
    #expect(studies.map { $0["partialFits"] as? Int } == [0, 60])
    let again = try ApusBinary.run(arguments: halving)
    #expect(again.errors.contains("Continuing: 60 of 60 fits were finished before"), "\(again.errors)")

    let best = try ApusBinary.run("study", "best", one, "diabetes")
    let simple = try ApusBinary.run("study", "best", one, "diabetes", "--one-standard-error")
    let chosen = try ApusBinary.run(arguments: ridge + [one, "--one-standard-error", "--json"]).json()
    let alpha = try #require(
      ((chosen["chosen"] as? [String: Any])?["parameters"] as? [String: Any])?["alpha"] as? Double)
    #expect(simple.output != best.output && simple.output.contains("alpha=\(alpha)"), "\(simple.output)")
  }

  @Test func aLimitOfFitsBelowTheFoldsIsAUsageError() throws {
    let run = try ApusBinary.run(
      "search", "iris", "--estimator", "svc", "--param", "c=[1,2]", "--most-fits", "3")
    #expect(run.status == 2 && run.errors.contains("allow at least 5 fits"), "\(run.errors)")
  }

  @Test func aDiskWithoutRoomEndsTheSearchAndSparesTheStudy() throws {
    let scratch = try Scratch()
    let study = scratch.path("sweep.sqlite")
    // A limit on the size of files stands in for a full disk; its signal is ignored, as a shell's child does.
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    let words = Self.search + ["--study", study, "--quiet"]
    shell.arguments = ["-c", "trap '' XFSZ; ulimit -f 72; exec \"$0\" \"$@\"", ApusBinary.url.path] + words
    let errors = Pipe()
    shell.standardError = errors
    shell.standardOutput = FileHandle.nullDevice
    try shell.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.exitStatus == 3, "\(text)")
    #expect(text.contains("sweep.sqlite") && text.contains("what was finished is kept"))
    let list = try ApusBinary.run("study", "list", study, "--json")
    #expect(list.status == 0, "\(list.errors)")
    let again = try ApusBinary.run(arguments: Self.search + ["--study", study, "--quiet"])
    #expect(again.status == 0, "\(again.errors)")
    #expect(try StudyKilling.table(study).count == 60)
  }
}
