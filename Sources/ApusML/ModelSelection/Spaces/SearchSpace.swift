import ApusParallel

/// Everything a search may try: one or more estimators, each with its own grid.
///
/// ```swift
/// let space = SearchSpace(ParameterGrid(Ridge()).varying(\.alpha, [0.1, 1, 10]))
///   + SearchSpace(ParameterGrid(RandomForestRegressor()).varying(\.maxDepth, [4, 8, nil]))
/// ```
public struct SearchSpace: Sendable {
  package var parts: [SearchSpacePart]

  /// The space of one grid.
  public init<E: Estimator>(_ grid: ParameterGrid<E>) { parts = [SearchSpacePart(grid)] }

  /// The space of several estimators that share a list of parameter spaces by name.
  ///
  /// A parameter that only some of the estimators have applies to those.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when there is no estimator, a parameter exists for
  ///   none of them, or a name is ambiguous.
  public init(
    estimators: [AnyEstimator], parameters: [(name: String, space: ParameterSpace)] = []
  ) throws {
    guard !estimators.isEmpty else { throw ApusError(.invalidParameter, "a search needs an estimator") }
    for parameter in parameters {
      if !estimators.contains(where: { $0.base.hasParameter(named: parameter.name) }) {
        throw Self.unknown(parameter.name, estimators)
      }
    }
    parts = try estimators.map { estimator in
      try SearchSpacePart(
        estimator.base, parameters.filter { estimator.base.hasParameter(named: $0.name) })
    }
  }

  /// Reads a space that was decoded from YAML or JSON.
  ///
  /// Either a list of grids, `[{estimator: ridge, parameters: {alpha: log(1e-3, 1e3, 7)}}, …]`, or an object of
  /// parameters by estimator, `{ridge: {alpha: [0.1, 1, 10]}, …}`.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that says what was expected.
  public init(_ tree: ParameterValue) throws {
    switch tree {
    case .list(let grids):
      parts = try grids.flatMap { try Self.grid($0) }
    case .object(let entries) where entries["estimator"] != nil:
      parts = try Self.grid(tree)
    case .object(let entries):
      parts = try entries.sorted { $0.key < $1.key }.map { try Self.part($0.key, $0.value) }
    default: throw Self.malformed
    }
    guard !parts.isEmpty else { throw ApusError(.invalidParameter, "the search space is empty") }
  }

  /// Both spaces, the left one's candidates first.
  public static func + (left: SearchSpace, right: SearchSpace) -> SearchSpace {
    var both = left
    both.parts += right.parts
    return both
  }

  /// The number of candidates, or the largest number where there are more than that; nil when a parameter is drawn from
  /// a distribution.
  public var count: Int? {
    parts.reduce(0) { sum, part in
      guard let sum, let count = part.count else { return nil }
      let (result, overflow) = sum.addingReportingOverflow(count)
      return overflow ? Int.max : result
    }
  }

  /// The names of the estimators, in order, each once.
  public var estimatorNames: [String] {
    parts.map(\.estimator.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// Checks estimators, names, types and ranges.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  package func check() throws { for part in parts { try part.check() } }

  private static var malformed: ApusError {
    ApusError(
      .invalidParameter, "a search space is a list of grids, each with an estimator and its parameters",
      hint: "for example [{estimator: ridge, parameters: {alpha: [0.1, 1, 10]}}]")
  }

  private static func grid(_ value: ParameterValue) throws -> [SearchSpacePart] {
    guard case .object(let entries) = value, let names = entries["estimator"] else { throw malformed }
    if let extra = entries.keys.first(where: { $0 != "estimator" && $0 != "parameters" }) {
      throw ApusError(
        .invalidParameter, "a grid has 'estimator' and 'parameters', but here is '\(extra)'",
        hint: "write the parameter under 'parameters'")
    }
    let parameters = entries["parameters"] ?? .object([:])
    switch names {
    case .string(let name): return [try part(name, parameters)]
    case .list(let names):
      return try names.map { name in
        guard case .string(let name) = name else { throw malformed }
        return try part(name, parameters)
      }
    default: throw malformed
    }
  }

  private static func part(_ name: String, _ parameters: ParameterValue) throws -> SearchSpacePart {
    let estimator = try AnyEstimator(named: name)
    switch parameters {
    case .null: return try SearchSpacePart(estimator.base, [])
    case .object(let entries):
      return try SearchSpacePart(
        estimator.base, try entries.sorted { $0.key < $1.key }.map { ($0.key, try ParameterSpace($0.value)) })
    default: throw malformed
    }
  }

  private static func unknown(_ name: String, _ estimators: [AnyEstimator]) -> ApusError {
    let all = estimators.flatMap { $0.base.parameterNames }
    let suggestion = all.nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
    let lists = estimators.map { estimator in
      "\(estimator.name) has \(estimator.base.parameterNames.joined(separator: ", "))"
    }
    return ApusError(
      .invalidParameter,
      estimators.count == 1
        ? "\(estimators[0].name) has no parameter '\(name)'"
        : "none of the estimators has a parameter '\(name)'",
      hint: suggestion + lists.joined(separator: "; "))
  }
}

extension Estimator {
  fileprivate var parameterNames: [String] { Self.hyperparameters.map(\.name) }

  /// Whether a name is known, if only as an ambiguous one.
  fileprivate func hasParameter(named name: String) -> Bool {
    Self.hyperparameters.contains { parameter in
      ([parameter.name] + parameter.aliases).contains { $0 == name || $0.hasSuffix(".\(name)") }
    }
  }
}
