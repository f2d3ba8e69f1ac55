import ApusTestSupport
import Foundation
import Testing

/// The help as users see it. To accept a change: `apus help fit > Tests/Goldens/Help/fit.txt`, and for a command of
/// two words `apus help study list > Tests/Goldens/Help/study-list.txt`.
@Suite(.blocking) struct HelpTests {
  static let commands = [
    "fit", "predict", "evaluate", "search", "study", "datasets", "estimators", "cluster",
  ]
  static let studyCommands = [
    "list", "show", "best", "export", "report", "serve", "diff", "retry-failed", "gc",
  ]
  static let clusterCommands = ["up", "status", "logs", "down", "certs"]
  static let all = commands + studyCommands.map { "study \($0)" } + clusterCommands.map { "cluster \($0)" }

  @Test(arguments: all) func helpIsAsItWasReadLast(command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let run = try ApusBinary.run(arguments: ["help"] + words)
    #expect(run.status == 0)
    let file = Golden.folder.appendingPathComponent("Help/\(words.joined(separator: "-")).txt")
    #expect(try run.output == String(contentsOf: file, encoding: .utf8))
    #expect(try ApusBinary.run(arguments: words + ["--help"]).output == run.output)
  }

  @Test(arguments: all) func helpFitsEightyColumns(command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let lines = try ApusBinary.run(arguments: ["help"] + words).output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
  }

  @Test func everyExampleIsACommandThatExists() throws {
    for command in Self.all {
      let words = command.split(separator: " ").map(String.init)
      let help = try ApusBinary.run(arguments: ["help"] + words).output
      let examples = help.split(separator: "\n").filter { $0.hasPrefix("  apus ") }
      #expect(!examples.isEmpty, "\(command)")
      #expect(examples.allSatisfy { Self.commands.contains(String($0.split(separator: " ")[1])) })
    }
  }
}
