import ApusParallel

/// A hyperparameter of an estimator: its name, its type and range, and how to read and write it.
///
/// An estimator lists its hyperparameters once; checks, search spaces, the command line, results tables and
/// `apus estimators` all read that list.
///
/// ```swift
/// static let hyperparameters = [
///   Hyperparameter("alpha", \Ridge.alpha, in: .atLeast(0), "Regularization strength."),
/// ]
/// ```
public struct Hyperparameter<Owner: Sendable>: Sendable {
  /// The property's name.
  public let name: String
  /// Other accepted spellings, scikit-learn's among them.
  public let aliases: [String]
  /// What a value looks like: `whole number or null`.
  public let type: String
  /// The numbers it may take.
  public let range: ParameterRange
  /// What it does, in a sentence or two.
  public let summary: String

  private let path: @Sendable () -> AnyKeyPath
  private let read: @Sendable (Owner) -> ParameterValue
  private let write: @Sendable (inout Owner, ParameterValue) -> Bool
  /// Whether the property's type takes a value.
  private let accepts: @Sendable (ParameterValue) -> Bool

  /// Describes a property.
  ///
  /// - Parameters:
  ///   - name: the property's name.
  ///   - keyPath: the property.
  ///   - alias: scikit-learn's spelling, where it is not the same in snake case.
  ///   - range: the numbers it may take.
  ///   - summary: what it does.
  public init<Value: ParameterConvertible>(
    _ name: String, _ keyPath: any WritableKeyPath<Owner, Value> & Sendable, alias: String? = nil,
    in range: ParameterRange = .any, _ summary: String
  ) {
    self.name = name
    let snakeCase = name.snakeCased
    aliases = [alias, snakeCase == name ? nil : snakeCase].compactMap { $0 }
    type = Value.parameterType
    self.range = range
    self.summary = summary
    path = { keyPath }
    read = { $0[keyPath: keyPath].parameterValue }
    write = { owner, value in
      guard let value = Value(parameterValue: value) else { return false }
      owner[keyPath: keyPath] = value
      return true
    }
    accepts = { Value(parameterValue: $0) != nil }
  }

  private init(
    name: String, aliases: [String], type: String, range: ParameterRange, summary: String,
    path: @escaping @Sendable () -> AnyKeyPath, read: @escaping @Sendable (Owner) -> ParameterValue,
    write: @escaping @Sendable (inout Owner, ParameterValue) -> Bool,
    accepts: @escaping @Sendable (ParameterValue) -> Bool
  ) {
    self.name = name
    self.aliases = aliases
    self.type = type
    self.range = range
    self.summary = summary
    self.path = path
    self.read = read
    self.write = write
    self.accepts = accepts
  }

  /// The property, for search spaces that are written with key paths.
  public var keyPath: AnyKeyPath { path() }

  /// The value that an estimator has.
  public func value(in owner: Owner) -> ParameterValue { read(owner) }

  /// Gives an estimator another value.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when the value's type or range is wrong; it names the
  ///   parameter, the value and what would be right.
  public func set(_ value: ParameterValue, in owner: inout Owner) throws {
    guard write(&owner, value) else { throw wrongType(value) }
    try checkRange(read(owner))
  }

  /// Checks that an estimator's value lies in the range, and that its type would take it: a property set in Swift
  /// may hold what cannot be written, such as a negative class weight.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  public func check(_ owner: Owner) throws {
    let value = read(owner)
    try checkRange(value)
    switch value {
    // Words, truth values and null come from cases that cannot be wrong, and finding a word's case takes time.
    case .null, .boolean, .string: return
    case .integer, .real, .list, .object: guard accepts(value) else { throw wrongType(value) }
    }
  }

  /// The same hyperparameter seen from a value that contains the owner, as a pipeline contains its steps.
  ///
  /// - Parameters:
  ///   - outer: the property that holds the owner.
  ///   - prefix: put before the name with a dot; nil keeps the name as it is.
  ///   - aliasPrefix: put before every spelling with two underscores, as scikit-learn does.
  func lifted<Outer: Sendable>(
    through outer: any WritableKeyPath<Outer, Owner> & Sendable, prefix: String?, aliasPrefix: String
  ) -> Hyperparameter<Outer> {
    let (path, read, write, accepts) = (self.path, self.read, self.write, self.accepts)
    var aliases = self.aliases
    if let prefix {
      aliases =
        ([name] + self.aliases).map { "\(aliasPrefix)__\($0)" } + self.aliases.map { "\(prefix).\($0)" }
    }
    return Hyperparameter<Outer>(
      name: prefix.map { "\($0).\(name)" } ?? name, aliases: aliases, type: type, range: range,
      summary: summary,
      path: { (outer as AnyKeyPath).appending(path: path()) ?? outer },
      read: { read($0[keyPath: outer]) },
      write: { write(&$0[keyPath: outer], $1) }, accepts: accepts)
  }

  /// The same hyperparameter with other spellings of its name and aliases.
  func renamed(_ spelling: (String) -> String) -> Hyperparameter {
    Hyperparameter(
      name: spelling(name), aliases: aliases.map(spelling), type: type, range: range, summary: summary,
      path: path, read: read, write: write, accepts: accepts)
  }

  private func wrongType(_ value: ParameterValue) -> ApusError {
    ApusError(
      .invalidParameter,
      "\(name) is \(type.hasPrefix("one of") ? "" : "a ")\(type), but was given \(value.quoted)")
  }

  private func checkRange(_ value: ParameterValue) throws {
    guard range.contains(value) else {
      throw ApusError(.invalidParameter, "\(name) must be \(range), but is \(value)")
    }
  }
}

extension ParameterValue {
  fileprivate var quoted: String {
    if case .string(let word) = self { "\"\(word)\"" } else { description }
  }
}

extension String {
  /// `maxDepth` as `max_depth`.
  var snakeCased: String {
    reduce(into: "") { text, letter in
      if letter.isUppercase { text += "_" }
      text += letter.lowercased()
    }
  }
}
