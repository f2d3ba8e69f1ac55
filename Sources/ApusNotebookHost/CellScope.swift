/// What the cells so far have declared, and which of them a name means: the latest.
struct CellScope {
  private struct Entry {
    var module: String
    var kind: String
  }
  private var entries: [String: Entry] = [:]
  private var imports: [String] = ["import Apus", "import ApusNotebook", "import Foundation"]
  private var modules: [(name: String, hasOperators: Bool)] = []

  /// What a cell brings in.
  struct Declarations {
    var names: [(name: String, kind: String)] = []
    var imports: [String] = []
    var hasOperators = false
  }

  private static let kinds = [
    "func_decl": "func", "struct_decl": "struct", "class_decl": "class", "enum_decl": "enum",
    "protocol_decl": "protocol", "typealias_decl": "typealias", "type_alias_decl": "typealias",
  ]

  /// What is usable of a cell that came as far as a statement; private declarations are its own.
  static func declarations(of syntax: CellSyntax, _ tokens: CellTokens, reached: Int) -> Declarations {
    let stop = syntax.items.enumerated().first { $0.element.isCode && $0.offset > reached }?.element.range
    let end = stop?.lowerBound ?? .max
    var result = Declarations()
    for item in syntax.items {
      if item.kind == "import_decl" {
        result.imports.append(String(decoding: tokens.bytes[item.range], as: UTF8.self))
        continue
      }
      if item.kind.hasSuffix("operator_decl") { result.hasOperators = true }
      guard let name = item.name, item.range.lowerBound < end else { continue }
      // The parser's ranges leave out modifiers; they stand on the declaration's line.
      let words = tokens.tokens.filter {
        $0.range.lowerBound < item.range.upperBound && $0.braces == 0
          && $0.range.lowerBound >= tokens.lineStart(item.range.lowerBound)
      }.map(tokens.text)
      guard !words.contains("private"), !words.contains("fileprivate") else { continue }
      if item.kind == "var_decl" {
        result.names.append((name, item.isConstant ? "let" : "var"))
      } else if !(name.first.map { $0.isLetter || $0 == "_" || $0 == "`" } ?? false) {
        result.hasOperators = true
      } else if let kind = kinds[item.kind] {
        result.names.append((name, kind))
      }
    }
    return result
  }

  /// Takes up what a cell has declared.
  mutating func add(_ declarations: Declarations, module: String) {
    modules.append((module, declarations.hasOperators))
    for text in declarations.imports where !imports.contains(text) { imports.append(text) }
    for (name, kind) in declarations.names { entries[name] = Entry(module: module, kind: kind) }
  }

  /// The names that cells have declared, in alphabetical order.
  var names: [String] { entries.keys.sorted() }

  /// The lines in front of the next cell: scoped imports, which let a later declaration hide an earlier one.
  ///
  /// Each cell's marker is imported too, since that makes its extensions visible. Operators come with a whole
  /// module only; its other names give way to the scoped ones.
  func preamble(without redeclared: Set<String> = []) -> String {
    var lines =
      imports
      + modules.map { "@testable import \($0.hasOperators ? $0.name : "enum \($0.name)._\($0.name)")" }
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) where !redeclared.contains(name) {
      lines.append("@testable import \(entry.kind) \(entry.module).\(name)")
    }
    return lines.joined(separator: "\n")
  }
}

extension CellTokens {
  fileprivate func lineStart(_ offset: Int) -> Int {
    bytes[..<min(offset, bytes.count)].lastIndex(of: 10).map { $0 + 1 } ?? 0
  }
}
