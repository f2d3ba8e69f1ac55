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

  /// The estimator with a name, in kebab case or as its Swift type is spelt; `a+b` names the pipeline that
  /// applies the transformer `a` before `b`.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that suggests the nearest name and lists all.
  public func type(named name: String) throws -> any Estimator.Type {
    let steps = name.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    let types = try steps.map(singleType(named:))
    var result = types[types.count - 1]
    for transformer in types.dropLast().reversed() {
      result = try pipelineType(of: transformer, before: result)
    }
    return result
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
  func open<First: Estimator>(_ first: First.Type) throws -> any Estimator.Type {
    guard let type = first as? any TransformerEstimator.Type else {
      throw ApusError(
        .invalidParameter,
        "\(First.name) does not transform features, so nothing can follow it in a pipeline",
        hint: "put the transformers first and one estimator last")
    }
    return openBoth(type, last)
  }
  func openBoth<First: TransformerEstimator, Last: Estimator>(
    _ first: First.Type, _ last: Last.Type
  ) -> any Estimator.Type { Pipeline<First, Last>.self }
  return try open(transformer)
}
