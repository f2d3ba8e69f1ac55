import ApusTestSupport
import Foundation
import Testing

/// Cells in a real kernel, driven by Jupyter's own client.
@Suite(.blocking, .serialized, .timeLimit(.minutes(20))) struct KernelTests {
  private func results(_ steps: Jupyter.Step...) throws -> [Jupyter.Result] {
    try withTemporaryFolder { try Jupyter($0).results(of: steps) }
  }

  @Test func declarationsLiveOnAndTheLatestOfANameCounts() throws {
    let results = try results(
      .cell("let a = 1\nvar b = 2\nstruct P { var z = 1 }\nfunc f(_ n: Int) -> Int { n + b }\na + b"),
      .cell("b += 40\nprint(b)\nf(P(z: 7).z)"),
      .cell("let a = \"new\"\nfunc f(_ s: String) -> String { s + a }\nstruct P { var y = 2 }"),
      .cell("f(\"very \") + \"\\(P().y)\""),
      .cell(
        "extension P { func twice() -> Int { y * 2 } }\ninfix operator +++\nfunc +++ (x: Int, y: Int) -> Int { x * y }"
      ),
      .cell("P(y: 4).twice() +++ 3"),
      .cell(
        "let (m, n) = (try await Task { 5 }.value, 6), o = await Task { 7 }.value // all\nfor k in 0..<2 { try await Task.sleep(for: .milliseconds(k)); print(k) }\n[m, n, o]"
      ),
      .cell("var late = [m]\nlate.append(n);"),
      .cell(
        "import Synchronization\nlet text = \"a // \\(late.map { \"\\($0)\" }.joined(separator: \"-\")) /* \""
      ),
      .cell("print(\"début\", text); Atomic<Int>(3).load(ordering: .relaxed)"),
      .cell("import RegexBuilder\n\"a12b\".firstMatch(of: Regex { OneOrMore(.digit) })!.output"))
    #expect(results.map(\.error) == Array(repeating: nil, count: results.count), "\(results)")
    #expect(
      results.map(\.plain) == ["3", "49", "", "\"very new2\"", "", "24", "[5, 6, 7]", "", "", "3", "12"],
      "\(results)")
    #expect(results[1].text == "42\n" && results[6].text == "0\n1\n")
    #expect(results[9].text == "début a // 5-6 /* \n")
  }

  @Test func errorsNameTheCellsOwnLinesAndLeaveTheRestStanding() throws {
    let results = try results(
      .cell("let kept = 1"),
      .cell("let other = kept\nlet bad = try await missing(other) + nothing"),
      .cell("let x = (1 +"),
      .cell("let before = 5\nlet data = try Dataset(bundled: \"nowhere\")\nlet after = 3"),
      .cell("before + kept"),
      .cell("after"),
      .cell("let empty: [Int] = []\nprint(\"going\")\nprint(empty[kept])"),
      .cell("kept"),
      .cell("let fresh = 2\nfresh"))
    #expect(results[1].error == "CompileError")
    let lines = try #require(results[1].lines)
    #expect(lines.contains("Cell 2, line 2, column 21: error: cannot find 'missing' in scope"), "\(lines)")
    #expect(lines.contains("Cell 2, line 2, column 38: error: cannot find 'nothing' in scope"), "\(lines)")
    #expect(lines.contains(String(repeating: " ", count: 24) + "^"))
    #expect(!lines.joined().contains("/") && !lines.joined().contains("_apus"))
    #expect(results[2].error == "CompileError" && results[2].lines?[0].hasPrefix("Cell 3, line 1") == true)
    #expect(results[3].error == "ApusError" && results[3].lines?[0].contains("'nowhere'") == true)
    #expect(results[4].plain == "6")
    #expect(results[5].error == "CompileError", "what was never reached does not exist")
    #expect(results[6].error == "ProcessLost" && results[6].text.contains("going\n"))
    #expect(results[6].lines?[0].contains("index out of range") == true, "\(results[6])")
    #expect(results[7].error == "CompileError", "the new process has no variables")
    #expect(results[8].plain == "2")
  }

  @Test func anInterruptedCellStopsAndVariablesStay() throws {
    let results = try results(
      .cell("var rounds = 7"),
      .interrupted("print(\"spinning\")\nwhile true { rounds &+= 2 }"),
      .cell("rounds % 2"),
      .interrupted("print(\"sleeping\")\ntry await Task.sleep(for: .seconds(500))"),
      .interrupted(
        "print(\"deaf\")\nlet never = await Task { while !Task.isCancelled || rounds > -1 { usleep(1000) } }.value"
      ),
      .cell("rounds = 0\nrounds"),
      .interrupted("print(\"again\")\nwhile true { rounds &+= 2 }"),
      .cell("rounds % 2"))
    for index in [1, 3, 4, 6] { #expect(results[index].error == "Interrupted", "\(results[index])") }
    #expect([2, 5, 7].map { results[$0].plain } == ["1", "0", "0"], "\(results)")
  }

  /// In an image, for one, it is installed by root and used by somebody else.
  @Test func theInstalledKernelIsReadableByEverybody() throws {
    try withTemporaryFolder { folder in
      _ = try Jupyter(folder)
      let kernel = folder.appendingPathComponent("share/jupyter/kernels/apus")
      let file = kernel.appendingPathComponent("kernel.json")
      for (path, wanted) in [(kernel.path, 0o755), (file.path, 0o444)] {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect((mode ?? 0) & wanted == wanted, "\(path)")
      }
    }
  }

  @Test func printedTextIsSeenWhileTheCellRuns() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("seen").path
      let wait = """
        print("early")
        while !FileManager.default.fileExists(atPath: "\(file)") { try await Task.sleep(for: .milliseconds(20)) }
        print("late")
        """
      let results = try Jupyter(folder).results(of: [.cell(wait, creates: file)])
      #expect(results[0].text == "early\nlate\n" && results[0].error == nil, "\(results)")
    }
  }

  @Test func valuesAreShownRichly() throws {
    let results = try results(
      .cell(
        """
        let grid = ParameterGrid(Ridge()).varying(\\.alpha, [1, 10])
        let outcome = try await GridSearch(grid).run(
          on: Dataset(bundled: "diabetes"), backend: ThreadBackend(), onEvent: SearchProgress().show)
        outcome
        """),
      .cell("Chart.histogram([1, 2, 2, .nan], of: \"<values>\")"),
      .cell(
        "struct Badge: NotebookDisplayable {\n  var notebookData: [String: ParameterValue] { [\"text/html\": .string(\"<b>7</b>\")] }\n}\nBadge()"
      ),
      .cell("\"two\\nlines\""), .cell("print(\"no value\")"), .cell("var n = 1\nn = 2"))
    let table = try #require(results[0].data["text/html"])
    #expect(table.components(separatedBy: "<tr>").count == 4 && table.contains("<th>alpha</th>"), "\(table)")
    #expect(results[0].plain.hasPrefix("rank,r2,±,fit s,estimator,alpha\n1,0.48"))
    #expect(results[0].displays.first == "display_data" && results[0].displays.last == "update_display_data")
    let picture = try #require(results[1].data["image/svg+xml"])
    #expect(picture.contains("<svg") && picture.contains("&lt;values&gt;"))
    #expect(results[2].data["text/html"] == "<b>7</b>" && results[2].plain == "Badge")
    #expect(results[3].plain == "\"two\\nlines\"" && results[4].plain == "" && results[5].plain == "")
  }

  @Test func namesAreCompleted() throws {
    let results = try results(
      .cell("struct Wheel { var spokes = 28 }\nlet wheelOfFortune = Wheel()"),
      .completion("let x = wheelOf"), .completion("wheelOfFortune.sp"), .completion("let y = Logistic"),
      .completion("exten"))
    #expect(results[1].matches?.first == "wheelOfFortune", "\(results[1])")
    #expect(results[2].matches == ["spokes"], "\(results[2])")
    #expect(results[3].matches?.contains("LogisticRegression") == true, "\(results[3])")
    #expect(results[4].matches?.contains("extension") == true, "\(results[4])")
  }
}
