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
    switch self {
    case .uniform: return labels.map { _ in 1 }
    case .balanced:
      let total = Double(counts.reduce(0, +))
      return counts.map { $0 == 0 ? 0 : total / (Double(counts.count) * Double($0)) }
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
