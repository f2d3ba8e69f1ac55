import Foundation

/// The compiler's messages about a cell, with the cell's own lines below them.
struct Diagnostics {
  private var lines: [String] = []
  private var first: String?
  private let raw: String

  /// Reads messages of the form `Cell 3:2:5: error: …`.
  init(_ text: String, number: Int, code: String, column: (_ column: Int, _ line: Int) -> Int) {
    raw = text
    let source = code.split(separator: "\n", omittingEmptySubsequences: false)
    for match in text.matches(of: /(?m)^(.*?):(\d+):(\d+): (error|note): (.*)$/) {
      guard let line = Int(match.2), let place = Int(match.3), match.1 == "Cell \(number)" else { continue }
      let own = column(place, line)
      lines.append("Cell \(number), line \(line), column \(own): \(match.4): \(match.5)")
      if source.indices.contains(line - 1) {
        lines.append("    \(source[line - 1])")
        lines.append("    " + String(repeating: " ", count: max(0, own - 1)) + "^")
      }
      if match.4 == "error", first == nil { first = String(match.5) }
    }
  }

  var error: CellError {
    guard let first else { return CellError(name: "CompileError", message: raw, lines: [raw]) }
    return CellError(name: "CompileError", message: first, lines: lines)
  }
}
