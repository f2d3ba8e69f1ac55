import ApusTestSupport
import Foundation

/// A fenced block of a Markdown file: code that a reader will copy, and that must therefore run.
struct Snippet: Sendable, CustomStringConvertible {
  let file: String
  let line: Int
  let language: String
  let code: String

  var description: String { "\(file):\(line)" }

  /// The blocks of a language in the guides that users read.
  static func all(language: String) throws -> [Snippet] {
    let documentation = repositoryRoot.appendingPathComponent("Sources/Apus/Apus.docc")
    let guides = try FileManager.default.contentsOfDirectory(atPath: documentation.path)
      .filter { $0.hasSuffix(".md") }.sorted().map { "Sources/Apus/Apus.docc/\($0)" }
    return try (["README.md"] + guides).flatMap { try blocks(in: $0) }.filter { $0.language == language }
  }

  private static func blocks(in file: String) throws -> [Snippet] {
    let text = try String(contentsOf: repositoryRoot.appendingPathComponent(file), encoding: .utf8)
    var blocks: [Snippet] = []
    var open: (line: Int, language: String, code: [Substring])?
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(
            Snippet(
              file: file, line: block.line, language: block.language,
              code: block.code.joined(separator: "\n") + "\n"))
          open = nil
        } else {
          open = (index + 1, String(line.dropFirst(3)), [])
        }
      } else {
        open?.code.append(line)
      }
    }
    return blocks
  }
}
