import ApusParallel

extension ParameterValue {
  /// Reads a value as it is written on a command line: JSON, in which words need no quotation marks.
  ///
  /// ```swift
  /// try ParameterValue(parsing: "[4, 8, null]")        // a list
  /// try ParameterValue(parsing: "{setosa: 2, other: 1}")
  /// try ParameterValue(parsing: "balanced")            // a word
  /// ```
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that says what was expected and where.
  public init(parsing text: String) throws {
    var parser = ParameterTextParser(text)
    self = try parser.value()
    try parser.expectEnd()
  }
}

extension ParameterSpace {
  /// Reads a space as it is written on a command line.
  ///
  /// | text | values |
  /// |---|---|
  /// | `[4, 8, null]` or `4,8,null` | these |
  /// | `linear(0, 1, 5)` | five evenly spaced numbers |
  /// | `log(1e-3, 1e3, 7)` | seven numbers with evenly spaced logarithms |
  /// | `range(1, 10, 2)` | 1, 3, 5, 7, 9 |
  /// | `uniform(0, 1)`, `loguniform(1e-3, 1e3)`, `integer(1, 9)` | drawn at random |
  /// | anything else | this value alone |
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that says what was expected and where.
  public init(parsing text: String) throws {
    var parser = ParameterTextParser(text)
    if let call = try parser.call() {
      self = try Self.called(call.name, call.arguments)
    } else {
      var values = [try parser.value()]
      var isList = false
      while parser.take(",") {
        isList = true
        values.append(try parser.value())
      }
      if !isList, case .list(let elements) = values[0] { values = elements }
      self = .values(values)
    }
    try parser.expectEnd()
  }

  /// Reads a space from a value that was decoded from YAML or JSON: a list of values, a text such as
  /// `log(1e-3, 1e3, 7)`, an object such as `{log: [1e-3, 1e3, 7]}`, or a single value.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  public init(_ value: ParameterValue) throws {
    switch value {
    case .list(let values): self = .values(values)
    case .string(let text) where text.hasSuffix(")"): try self.init(parsing: text)
    case .object(let entries):
      guard entries.count == 1, let entry = entries.first, case .list(let arguments) = entry.value,
        Self.functions.contains(entry.key.lowercased())
      else {
        self = .values([value])
        return
      }
      self = try Self.called(entry.key, arguments)
    default: self = .values([value])
    }
  }

  /// Reads `name=space`, as it is written after `--param`.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  public static func parsingAssignment(_ text: String) throws -> (name: String, space: ParameterSpace) {
    guard let sign = text.firstIndex(of: "="), sign != text.startIndex else {
      throw ApusError(
        .invalidParameter, "'\(text)' is not of the form name=values", hint: "for example c=log(1e-3,1e3,7)")
    }
    let name = text[..<sign].filter { !$0.isWhitespace }
    do {
      return (String(name), try ParameterSpace(parsing: String(text[text.index(after: sign)...])))
    } catch var error as ApusError {
      error.message = "\(name): \(error.message)"
      throw error
    }
  }

  private static let functions = ["linear", "log", "range", "uniform", "loguniform", "integer"]

  private static func called(_ name: String, _ arguments: [ParameterValue]) throws -> ParameterSpace {
    let numbers = arguments.compactMap(\.number)
    let shown = "\(name)(\(arguments.map(\.description).joined(separator: ", ")))"
    func whole(_ index: Int) throws -> Int {
      guard let number = Int(exactly: numbers[index]) else {
        throw invalid("\(shown): \(numbers[index]) should be a whole number")
      }
      return number
    }
    func expect(_ counts: ClosedRange<Int>, _ form: String) throws {
      guard numbers.count == arguments.count, counts.contains(numbers.count) else {
        throw ApusError(.invalidParameter, "\(shown) is not of the form \(form)")
      }
    }
    switch name.lowercased().filter({ $0 != "_" && $0 != "-" }) {
    case "linear", "linspace":
      try expect(3...3, "linear(from, to, count)")
      return try linear(from: numbers[0], to: numbers[1], count: whole(2))
    case "log", "logspace":
      try expect(3...3, "log(from, to, count)")
      return try log(from: numbers[0], to: numbers[1], count: whole(2))
    case "range":
      try expect(2...3, "range(from, to, step)")
      return try range(from: numbers[0], to: numbers[1], step: numbers.count == 3 ? numbers[2] : 1)
    case "uniform":
      try expect(2...2, "uniform(from, to)")
      return .uniform(numbers[0], numbers[1])
    case "loguniform":
      try expect(2...2, "loguniform(from, to)")
      return .logUniform(numbers[0], numbers[1])
    case "integer", "int":
      try expect(2...2, "integer(from, to)")
      return .integer(try whole(0), try whole(1))
    default:
      let suggestion = functions.nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
      throw ApusError(
        .invalidParameter, "there is no space '\(name)(…)'",
        hint: "\(suggestion)known: \(functions.joined(separator: ", ")), or a list [a, b, …]")
    }
  }
}
