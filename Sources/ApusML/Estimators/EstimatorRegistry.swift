import ApusParallel
import Synchronization

/// The estimators that this program knows by name.
///
/// The command line, search spaces in files, saved models and worker processes find estimators here. A
/// program adds its own before it uses them:
///
/// ```swift
/// EstimatorRegistry.shared.register(NearestCentroid.self)
/// ```
public final class EstimatorRegistry: Sendable {
  /// The registry of the process, with every estimator of Apus in it.
  public static let shared = EstimatorRegistry(BuiltInEstimators.all)

  private static let mostSteps = 100

  private let types: Mutex<[String: any Estimator.Type]>

  init(_ types: [any Estimator.Type]) {
    self.types = Mutex(Dictionary(uniqueKeysWithValues: types.map { ($0.name, $0) }))
  }

  /// Makes an estimator known by its name; registering it again changes nothing.
  public func register(_ type: any Estimator.Type) { types.withLock { $0[type.name] = type } }

  /// Every known estimator, sorted by name; pipelines are made on demand and not listed.
  public var all: [any Estimator.Type] {
    types.withLock { $0.values.sorted { $0.name < $1.name } }
  }

  /// The estimator with a name, in kebab case or as its Swift type is spelt.
  ///
  /// `a+b` names the pipeline that applies the transformer `a` before `b`, and `a/b` the column transformer that
  /// applies `a` to numeric and `b` to categorical columns. The slash binds tighter; parentheses group:
  /// `simple-imputer+standard-scaler/one-hot-encoder+ridge`.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that suggests the nearest name and lists all, or for more than
  ///   100 steps.
  public func type(named name: String) throws -> any Estimator.Type {
    // Each step is a type around the others, which Swift's runtime makes by recursion.
    guard name.utf8.count(where: { "+/(".utf8.contains($0) }) < Self.mostSteps else {
      throw ApusError(
        .invalidParameter, "the estimator '\(name.prefix(40))…' has more than \(Self.mostSteps) steps",
        hint: "leave out those that are not needed")
    }
    let types = try split(name, at: "+").map(step(named:))
    var result = types[types.count - 1]
    for transformer in types.dropLast().reversed() {
      result = try pipelineType(of: transformer, before: result)
    }
    return result
  }

  private func step(named name: String) throws -> any Estimator.Type {
    let sides = split(name, at: "/")
    if sides.count == 1 { return try singleOrGroupedType(named: name) }
    guard sides.count == 2 else {
      throw ApusError(
        .invalidParameter, "'\(name)' has \(sides.count) sides",
        hint: "a column transformer has two: numeric/categorical")
    }
    return try columnTransformerType(
      numeric: singleOrGroupedType(named: sides[0]), categorical: singleOrGroupedType(named: sides[1]))
  }

  private func singleOrGroupedType(named name: String) throws -> any Estimator.Type {
    guard name.hasPrefix("("), name.hasSuffix(")") else { return try singleType(named: name) }
    return try type(named: String(name.dropFirst().dropLast()))
  }

  /// The parts of a name between separators that stand outside parentheses.
  private func split(_ name: String, at separator: Character) -> [String] {
    var parts = [""]
    var depth = 0
    for letter in name {
      if letter == "(" { depth += 1 }
      if letter == ")" { depth -= 1 }
      if letter == separator, depth == 0 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(letter)
      }
    }
    return parts
  }

  private func singleType(named name: String) throws -> any Estimator.Type {
    let known = all
    let folded = name.lowercased().filter { $0 != "-" && $0 != "_" }
    if let type = known.first(where: { $0.name.filter { $0 != "-" } == folded }) { return type }
    let names = known.map { $0.name }
    let suggestion = names.nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
    throw ApusError(
      .invalidParameter, "there is no estimator '\(name)'",
      hint: "\(suggestion)known: \(names.joined(separator: ", "))")
  }
}

/// The type of a two-step pipeline, from types that are known only as the program runs.
private func pipelineType(
  of transformer: any Estimator.Type, before last: any Estimator.Type
) throws -> any Estimator.Type {
  func open<First: TransformerEstimator, Last: Estimator>(
    _ first: First.Type, _ last: Last.Type
  ) -> any Estimator.Type { Pipeline<First, Last>.self }
  return open(
    try transformerType(transformer, "so nothing can follow it in a pipeline", "put one estimator last"), last
  )
}

/// The type of a column transformer, from types that are known only as the program runs.
private func columnTransformerType(
  numeric: any Estimator.Type, categorical: any Estimator.Type
) throws -> any Estimator.Type {
  func open<Numeric: TransformerEstimator, Categorical: TransformerEstimator>(
    _ numeric: Numeric.Type, _ categorical: Categorical.Type
  ) -> any Estimator.Type { ColumnTransformer<Numeric, Categorical>.self }
  let (reason, hint) = ("so it cannot be a side of a column transformer", "put it after a +")
  return open(
    try transformerType(numeric, reason, hint), try transformerType(categorical, reason, hint))
}

private func transformerType(
  _ type: any Estimator.Type, _ reason: String, _ hint: String
) throws -> any TransformerEstimator.Type {
  func open<Candidate: Estimator>(_ type: Candidate.Type) throws -> any TransformerEstimator.Type {
    if let transformer = type as? any TransformerEstimator.Type { return transformer }
    throw ApusError(
      .invalidParameter, "\(Candidate.name) does not transform features, \(reason)", hint: hint)
  }
  return try open(type)
}
