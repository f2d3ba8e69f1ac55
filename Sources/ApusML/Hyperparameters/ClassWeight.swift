/// How much the rows of each class count in a fit, beside their own weights.
public enum ClassWeight: Sendable, Hashable, Codable {
  /// All classes count the same.
  case uniform
  /// Every class counts as much in total: class c's rows are weighted `n / (k · n_c)`.
  case balanced
  /// A weight for each label; labels not named weigh 1.
  case explicit([String: Double])

  /// The weight of each class.
  ///
  /// - Parameters:
  ///   - labels: the classes' labels.
  ///   - counts: the number of rows of each class, their own weights left out as scikit-learn does.
  public func weights(labels: [String], counts: [Int]) -> [Double] {
    weights(labels: labels, totals: counts.map(Double.init))
  }

  /// The weight of each class, where ``balanced`` goes by the total weight of each class's rows.
  ///
  /// - Parameters:
  ///   - labels: the classes' labels.
  ///   - totals: the sum of the weights of each class's rows.
  public func weights(labels: [String], totals: [Double]) -> [Double] {
    switch self {
    case .uniform: return labels.map { _ in 1 }
    case .balanced:
      let total = totals.reduce(0, +)
      return totals.map { $0 == 0 ? 0 : total / (Double(totals.count) * $0) }
    case .explicit(let weights): return labels.map { weights[$0] ?? 1 }
    }
  }
}

extension ClassWeight: ParameterConvertible {
  /// `null, balanced or {label: weight}`.
  public static var parameterType: String { "null, \"balanced\" or {label: weight, …}" }

  /// Takes null, `balanced`, or an object of weights of at least 0.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .null: self = .uniform
    case .string("balanced"): self = .balanced
    case .string("uniform"), .string("none"): self = .uniform
    case .object(let values):
      var weights: [String: Double] = [:]
      for (label, value) in values {
        guard let weight = value.number, weight >= 0, weight.isFinite else { return nil }
        weights[label] = weight
      }
      self = .explicit(weights)
    default: return nil
    }
  }

  /// Null, `balanced`, or an object of weights.
  public var parameterValue: ParameterValue {
    switch self {
    case .uniform: .null
    case .balanced: .string("balanced")
    case .explicit(let weights): .object(weights.mapValues { .real($0) })
    }
  }
}
