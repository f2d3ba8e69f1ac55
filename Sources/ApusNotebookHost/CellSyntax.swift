import ApusML
import Foundation

/// What stands at the top of a cell, as the compiler's own parser sees it.
struct CellSyntax {
  /// A declaration or statement.
  struct Item {
    /// The parser's word for it: `struct_decl`, `pattern_binding_decl`, `call_expr`, ….
    var kind: String
    /// Its bytes, up to the end of its last token.
    var range: Range<Int>
    /// What a declaration is called.
    var name: String?
    /// Whether it runs when the cell runs.
    var isCode: Bool
    /// Whether a variable is a constant.
    var isConstant: Bool
  }
  var items: [Item] = []

  /// Reads the tree that `swift-frontend -dump-parse -dump-ast-format json` writes.
  init(tree: Data, tokens: CellTokens) throws {
    let root = try JSONDecoder().decode(ParameterValue.self, from: tree)
    for node in root["items"]?.elements ?? [] {
      guard let kind = node["_kind"]?.text, let range = node["range"],
        let start = range["start"]?.integer, let last = range["end"]?.integer
      else { continue }
      // The parser gives the start of the last token.
      let end = tokens.tokens.first { $0.range.contains(last) }?.range.upperBound ?? last
      let isCode = kind == "top_level_code_decl"
      let inner = isCode ? node["body"]?["elements"]?.elements.first : node
      items.append(
        Item(
          kind: inner?["_kind"]?.text ?? kind, range: start..<max(start, end),
          name: node["name"]?["base_name"]?["name"]?.text, isCode: isCode,
          isConstant: node["let"] == .boolean(true)))
    }
  }
}

extension ParameterValue {
  subscript(name: String) -> ParameterValue? {
    if case .object(let entries) = self { entries[name] } else { nil }
  }
  var elements: [ParameterValue] { if case .list(let values) = self { values } else { [] } }
  var text: String? { if case .string(let value) = self { value } else { nil } }
  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
}
