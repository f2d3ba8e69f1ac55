import ApusTestSupport
import Foundation
import Testing

/// What a person sees and does while a search runs; each search here would take minutes.
@Suite(.blocking) struct InterruptionTests {
  private let long = [
    "search", "letter", "--estimator", "k-means", "--param", "clusterCount=range(2,401)", "--cv", "2",
    "--workers", "1",
  ]

  /// Whether the bar says that a candidate is finished.
  private func hasScore(_ text: String) -> Bool { text.contains("best -") }

  @Test func aFirstInterruptEndsWithThePartialTable() throws {
    let run = try PseudoTerminal(columns: 80).run(long) { process, terminal in
      #expect(terminal.wait(until: hasScore))
      process.interrupt()
    }
    #expect(run.status == 130)
    #expect(run.output.hasPrefix("Rank"))
    #expect(run.output.contains("Best: k-means with clusterCount="))
    #expect(run.errors.contains("once more to stop at once"))
    #expect(run.errors.contains("of 800 fits in"))
  }

  @Test func terminationDoesTheSameAndJSONSaysThatItIsPartial() throws {
    let run = try PseudoTerminal(columns: 80).run(long + ["--json"]) { process, terminal in
      #expect(terminal.wait(until: hasScore))
      process.terminate()
    }
    #expect(run.status == 143)
    let report = try run.json()
    #expect(report["isComplete"] as? Bool == false)
    let results = try #require(report["results"] as? [[String: Any]])
    #expect(!results.isEmpty)
    #expect(results.count < 400)
  }

  @Test func theBarFitsTheTerminalAndGoesAway() throws {
    let run = try PseudoTerminal(columns: 60).run(long) { process, terminal in
      #expect(terminal.wait(until: hasScore))
      process.interrupt()
    }
    let lines = run.errors.split(whereSeparator: { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
    let bars = lines.map { $0.replacing("\u{1B}[K", with: "") }.filter { $0.contains("/800 fits") }
    #expect(!bars.isEmpty)
    #expect(bars.allSatisfy { $0.count < 60 })
    #expect(bars.contains { $0.contains("━") || $0.contains("─") })
  }

  @Test func theBarFollowsTheTerminalsWidth() throws {
    let terminal = try PseudoTerminal(columns: 100)
    var before = 0
    let run = try terminal.run(long) { process, output in
      #expect(output.wait(until: hasScore))
      try terminal.resize(columns: 32)
      // What was being drawn may still be wide.
      Thread.sleep(forTimeInterval: 0.3)
      before = output.text.utf8.count
      #expect(output.wait { $0.utf8.dropFirst(before).count(where: { $0 == UInt8(ascii: "\r") }) > 2 })
      process.interrupt()
    }
    func widths(_ text: some StringProtocol) -> [Int] {
      text.split(whereSeparator: { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
        .map { $0.replacing("\u{1B}[K", with: "") }.filter { $0.contains("/800 fits") }.map(\.count)
    }
    let text = Substring(run.errors)
    let narrow = text.utf8.index(text.startIndex, offsetBy: before)
    #expect(try #require(widths(text[..<narrow]).max()) > 60)
    #expect(try #require(widths(text[narrow...]).max()) < 32)
  }

  @Test func aDumbTerminalGetsPlainLines() throws {
    let run = try PseudoTerminal(columns: 80).run(
      ["search", "iris", "--estimator", "logistic-regression", "--param", "c=[1,2]"],
      environment: ["TERM": "dumb"])
    #expect(run.status == 0)
    #expect(!run.errors.contains("\u{1B}"))
    #expect(run.errors.contains("10 of 10 fits (100%)"))
  }

  @Test func aPipeGetsPlainLines() throws {
    let run = try ApusBinary.run(
      "search", "iris", "--estimator", "logistic-regression", "--param", "c=[1,2]")
    #expect(run.status == 0)
    #expect(!run.errors.contains("\u{1B}"))
    #expect(!run.errors.contains("\r"))
    #expect(run.errors.contains("10 of 10 fits (100%)"))
  }

  /// A fit of minutes says how far it is, on one thread too, and ends when it is asked to.
  @Test func aLongFitSaysHowFarItIs() throws {
    let run = try PseudoTerminal(columns: 50).run([
      "fit", "letter", "--estimator", "random-forest-classifier", "--set", "treeCount=200000", "--threads",
      "1",
    ]) { process, terminal in
      #expect(terminal.wait { $0.contains("of 200000") })
      process.interrupt()
    }
    #expect(run.status == 130)
    #expect(run.output.isEmpty)
    let lines = run.errors.split(whereSeparator: { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
      .map { $0.replacing("\u{1B}[K", with: "") }
    #expect(lines.filter { $0.hasPrefix("Fitting") }.allSatisfy { $0.count < 50 })
  }

  /// The decomposition of a matrix of thousands of columns takes minutes and cannot be asked to stop.
  @Test(arguments: ["pca", "truncated-svd", "linear-regression"]) func whatCannotBeAskedToStopEndsToo(
    estimator: String
  ) throws {
    let scratch = try Scratch()
    let target = estimator == "linear-regression" ? ["--target", "width", "--drop", "letter"] : []
    let run = try PseudoTerminal(columns: 80).run(
      ["fit", "letter", "--estimator", "polynomial-features+\(estimator)", "--set", "degree=4"] + target
        + ["--output", scratch.path("model.apus")]
    ) { process, terminal in
      #expect(terminal.wait { $0.contains("Fitting") })
      process.interrupt()
    }
    #expect(run.status == 130)
    #expect(run.output.isEmpty)
    #expect(try scratch.names().isEmpty)
  }

  @Test func aRefitSaysHowFarItIs() throws {
    let scratch = try Scratch()
    let run = try PseudoTerminal(columns: 80).run([
      "search", "iris", "--estimator", "random-forest-classifier", "--param", "treeCount=[600000]", "--cv",
      "2",
      "--output", scratch.path("model.apus"), "--refit", "neg_log_loss", "--scoring", "neg_log_loss",
    ]) { process, terminal in
      #expect(terminal.wait { $0.contains("Fitting the best candidate on all rows: ") })
      process.interrupt()
    }
    #expect(run.status == 130)
    #expect(run.errors.contains("of 600000 trees"))
    #expect(try scratch.names().isEmpty)
  }

  @Test func coloursAreLeftOutWhereTheyAreNotWanted() throws {
    let coloured = try PseudoTerminal(columns: 80).run([
      "fit", "none.csv", "--target=y", "--estimator=ridge",
    ])
    #expect(coloured.errors.contains("\u{1B}[31mError:"))
    let plain = try PseudoTerminal(columns: 80).run(
      ["fit", "none.csv", "--target=y", "--estimator=ridge"], environment: ["NO_COLOR": "1"])
    #expect(!plain.errors.contains("\u{1B}"))
    #expect(plain.errors.contains("Error: "))
  }
}
