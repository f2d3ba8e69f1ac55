import ApusData
import ApusParallel

/// An estimator of any type, stored as its name and hyperparameters; read back through the
/// ``EstimatorRegistry``.
public struct AnyEstimator: Sendable {
  /// The estimator itself.
  public var base: any Estimator

  /// Wraps an estimator.
  public init(_ base: any Estimator) { self.base = base }

  /// The estimator with a name, default hyperparameters changed as given.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  public init(named name: String, parameters: [String: ParameterValue] = [:]) throws {
    let type = try EstimatorRegistry.shared.type(named: name)
    base = try type.init().setting(parameters)
  }

  /// The estimator's name.
  public var name: String { type(of: base).name }

  /// What the estimator is for.
  public var task: LearningTask { type(of: base).task }

  /// The hyperparameters by name.
  public var parameters: [String: ParameterValue] { base.parameters }
}

extension AnyEstimator: Hashable {
  /// Whether both are the same type with the same hyperparameters.
  public static func == (left: AnyEstimator, right: AnyEstimator) -> Bool {
    AnyHashable(left.base) == AnyHashable(right.base)
  }

  /// Hashes the estimator.
  public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(base)) }
}

extension AnyEstimator: Codable {
  private enum CodingKeys: String, CodingKey { case name, parameters }

  /// Writes the name and every hyperparameter.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(parameters, forKey: .parameters)
  }

  /// Reads a name and hyperparameters; those not given keep their defaults.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for an unknown estimator or hyperparameter.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      named: container.decode(String.self, forKey: .name),
      parameters: container.decode([String: ParameterValue].self, forKey: .parameters))
  }
}
