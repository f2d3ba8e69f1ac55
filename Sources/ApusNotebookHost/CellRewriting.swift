import Foundation

/// A cell as the compiler gets it: the user's own text, with calls of the kernel inserted in its lines.
///
/// - `let x = try await f()` waits: `let x = try _apusAwait { try await f() }`, so that a cell is a plain program
///   whose top runs on a thread of its own, and its variables are globals;
/// - `_apusReached` notes how far the cell came;
/// - the last expression is shown.
struct CellRewriting {
  let original: [UInt8]
  private var insertions: [(offset: Int, text: String)] = []

  init(_ tokens: CellTokens, _ syntax: CellSyntax) {
    original = tokens.bytes
    let lastCode = syntax.items.last.flatMap { $0.isCode ? $0 : nil }
    for (index, item) in syntax.items.enumerated() where item.isCode {
      let own = tokens.tokens.filter { item.range.contains($0.range.lowerBound) }
      let isShown = item.range == lastCode?.range && Self.isValue(item.kind) && !tokens.isSilenced(item.range)
      if isShown { insert("_apusShow(", item.range.lowerBound) }
      if item.kind == "pattern_binding_decl" {
        waitInBindings(own, tokens, end: item.range.upperBound)
      } else if Self.waits(own, tokens, everywhere: item.kind.hasSuffix("_stmt")) {
        insert("try _apusAwait { ", item.range.lowerBound)
        insert(" }", item.range.upperBound)
      }
      insert(isShown ? ");_apusReached(\(index))" : ";_apusReached(\(index))", item.range.upperBound)
    }
  }

  private mutating func insert(_ text: String, _ offset: Int) { insertions.append((offset, text)) }

  private static func isValue(_ kind: String) -> Bool {
    kind.hasSuffix("_expr") && !["assign_expr", "if_expr", "switch_expr"].contains(kind)
  }

  private static func waits(_ own: [CellToken], _ tokens: CellTokens, everywhere: Bool) -> Bool {
    let top = own.first?.braces ?? 0
    return own.contains { (everywhere || $0.braces == top) && tokens.text($0) == "await" }
  }

  /// Lets each initial value of `let a = …, b = …` wait that has an `await`.
  private mutating func waitInBindings(_ own: [CellToken], _ tokens: CellTokens, end: Int) {
    guard let first = own.first, tokens.text(first) != "async" else { return }
    var value: (start: Int, tokens: [CellToken])?
    func finish(_ offset: Int, _ value: (start: Int, tokens: [CellToken])?) -> [(Int, String)] {
      guard let value, let head = value.tokens.first else { return [] }
      let isChoice = ["if", "switch"].contains(tokens.text(head))
      guard Self.waits(value.tokens, tokens, everywhere: isChoice) else { return [] }
      return [(head.range.lowerBound, "try _apusAwait { "), (offset, " }")]
    }
    for token in own {
      let text = tokens.text(token)
      if value == nil {
        if text == "=", token.depth == first.depth { value = (token.range.upperBound, []) }
      } else if text == ",", token.depth == first.depth {
        insertions += finish(token.range.lowerBound, value)
        value = nil
      } else {
        value?.tokens.append(token)
      }
    }
    insertions += finish(end, value)
  }

  /// The text for the compiler; no line is added or removed.
  var text: String {
    var result: [UInt8] = []
    var position = 0
    for (offset, text) in ordered {
      result += original[position..<offset]
      result += Array(text.utf8)
      position = offset
    }
    return String(decoding: result + original[position...], as: UTF8.self)
  }

  private var ordered: [(offset: Int, text: String)] {
    insertions.enumerated().sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }
      .map(\.element)
  }

  /// The column in the user's text of a column in the compiler's; both count bytes from 1.
  func column(_ column: Int, line: Int) -> Int {
    let lines = original.split(separator: 10, omittingEmptySubsequences: false)
    guard line >= 1, line <= lines.count else { return column }
    let range = lines[line - 1].startIndex...lines[line - 1].endIndex
    var shift = 0
    for (offset, text) in ordered where range.contains(offset) {
      let place = offset - range.lowerBound + 1
      if place + shift + text.utf8.count <= column {
        shift += text.utf8.count
      } else if place + shift <= column {
        return place
      }
    }
    return column - shift
  }
}

extension CellTokens {
  /// Whether a semicolon follows, which keeps a value from being shown.
  fileprivate func isSilenced(_ range: Range<Int>) -> Bool {
    tokens.first { $0.range.lowerBound >= range.upperBound }.map { text($0) == ";" } ?? false
  }
}
