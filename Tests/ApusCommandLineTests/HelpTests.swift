import ApusTestSupport
import Foundation
import Testing

/// The help as users see it. To accept a change: `apus help fit > Tests/Goldens/Help/fit.txt`.
@Suite(.blocking) struct HelpTests {
  static let commands = ["fit", "predict", "evaluate", "search", "datasets", "estimators"]

  @Test(arguments: commands) func helpIsAsItWasReadLast(command: String) throws {
    let run = try ApusBinary.run("help", command)
    #expect(run.status == 0)
    let file = Golden.folder.appendingPathComponent("Help/\(command).txt")
    #expect(try run.output == String(contentsOf: file, encoding: .utf8))
    #expect(try ApusBinary.run(command, "--help").output == run.output)
  }

  @Test(arguments: commands) func helpFitsEightyColumns(command: String) throws {
    let lines = try ApusBinary.run("help", command).output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
  }

  @Test func everyExampleIsACommandThatExists() throws {
    for command in Self.commands {
      let help = try ApusBinary.run("help", command).output
      let examples = help.split(separator: "\n").filter { $0.hasPrefix("  apus ") }
      #expect(!examples.isEmpty, "\(command)")
      #expect(examples.allSatisfy { Self.commands.contains(String($0.split(separator: " ")[1])) })
    }
  }
}
