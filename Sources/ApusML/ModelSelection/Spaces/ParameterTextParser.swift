import ApusParallel

/// Reads JSON in which words need no quotation marks, by recursive descent.
struct ParameterTextParser {
  private let text: [Character]
  private var position = 0
  /// How many lists and objects are open.
  private var depth = 0
  /// No hyperparameter has values of more than a few levels, and each level takes a part of the stack.
  private static let mostDepth = 100

  init(_ text: String) { self.text = Array(text) }

  /// `name(value, …)`, if that is what comes next; else nothing is taken.
  mutating func call() throws -> (name: String, arguments: [ParameterValue])? {
    let start = position
    skipSpaces()
    var name = ""
    while let letter = current, letter.isLetter || letter == "_" || letter == "-" || letter.isNumber {
      name.append(letter)
      position += 1
    }
    guard !name.isEmpty, take("(") else {
      position = start
      return nil
    }
    return (name, try values(until: ")"))
  }

  mutating func value() throws -> ParameterValue {
    skipSpaces()
    switch current {
    case nil: throw expected("a value")
    case "[": return .list(try nested { try $0.values(until: "]") })
    case "{": return .object(try nested { try $0.entries() })
    case "\"", "'": return .string(try quoted())
    default: return try word()
    }
  }

  /// Takes a sign if it comes next.
  mutating func take(_ sign: Character) -> Bool {
    skipSpaces()
    guard current == sign else { return false }
    position += 1
    return true
  }

  mutating func expectEnd() throws {
    skipSpaces()
    if current != nil { throw expected("nothing more") }
  }

  /// Reads what stands between the bracket that comes next and its partner.
  private mutating func nested<Value>(_ read: (inout ParameterTextParser) throws -> Value) throws -> Value {
    guard depth < Self.mostDepth else {
      throw ApusError(
        .invalidParameter,
        "'\(String(text.prefix(20)))…': lists and objects lie more than \(Self.mostDepth) deep in each other",
        hint: "write values as name=[a, b], a list in a list at most")
    }
    position += 1
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  private var current: Character? { position < text.count ? text[position] : nil }

  private mutating func skipSpaces() {
    while let letter = current, letter.isWhitespace { position += 1 }
  }

  private mutating func values(until end: Character) throws -> [ParameterValue] {
    var values: [ParameterValue] = []
    if take(end) { return values }
    while true {
      values.append(try value())
      if take(end) { return values }
      guard take(",") else { throw expected("',' or '\(end)'") }
    }
  }

  private mutating func entries() throws -> [String: ParameterValue] {
    var entries: [String: ParameterValue] = [:]
    if take("}") { return entries }
    while true {
      skipSpaces()
      let key = current == "\"" || current == "'" ? try quoted() : bareWord()
      guard !key.isEmpty, take(":") else { throw expected("a name and ':'") }
      entries[key] = try value()
      if take("}") { return entries }
      guard take(",") else { throw expected("',' or '}'") }
    }
  }

  private mutating func quoted() throws -> String {
    let mark = text[position]
    position += 1
    var word = ""
    while let letter = current {
      position += 1
      if letter == mark { return word }
      if letter == "\\", let escaped = current {
        position += 1
        word.append(escaped)
      } else {
        word.append(letter)
      }
    }
    throw expected("a closing \(mark)")
  }

  private mutating func bareWord() -> String {
    var word = ""
    while let letter = current, !"[]{}(),:\"'".contains(letter) {
      word.append(letter)
      position += 1
    }
    while word.last?.isWhitespace == true { word.removeLast() }
    return word
  }

  private mutating func word() throws -> ParameterValue {
    let word = bareWord()
    guard !word.isEmpty else { throw expected("a value") }
    switch word {
    case "null", "None", "none", "nil": return .null
    case "true", "True": return .boolean(true)
    case "false", "False": return .boolean(false)
    default:
      if let whole = Int(word) { return .integer(whole) }
      if let number = Double(word), number.isFinite, word.contains(where: \.isNumber) { return .real(number) }
      return .string(word)
    }
  }

  private func expected(_ what: String) -> ApusError {
    let found = current.map { "found '\($0)'" } ?? "the text ends"
    return ApusError(
      .invalidParameter, "'\(String(text))': expected \(what) at position \(position + 1), but \(found)")
  }
}
