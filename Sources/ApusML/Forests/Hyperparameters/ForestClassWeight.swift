/// How much the rows of each class count in the trees of a forest.
public enum ForestClassWeight: Hashable, Sendable, Codable {
  /// All classes count the same.
  case uniform
  /// Every class counts as much in total, by its number of rows in the data.
  case balanced
  /// Every class counts as much in total, by its number of rows in each tree's own sample.
  case balancedSubsample
  /// A weight for each label; labels not named weigh 1.
  case explicit([String: Double])

  /// The weights that are the same for every tree.
  var wholeData: ClassWeight {
    switch self {
    case .uniform, .balancedSubsample: .uniform
    case .balanced: .balanced
    case .explicit(let weights): .explicit(weights)
    }
  }
}

extension ForestClassWeight: ParameterConvertible {
  /// `null, balanced, balancedSubsample or {label: weight}`.
  public static var parameterType: String {
    "null, \"balanced\", \"balancedSubsample\" or {label: weight, …}"
  }

  /// Takes null, a word, or an object of weights of at least 0.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .string("balancedSubsample"), .string("balanced_subsample"): self = .balancedSubsample
    default:
      switch ClassWeight(parameterValue: parameterValue) {
      case nil: return nil
      case .uniform: self = .uniform
      case .balanced: self = .balanced
      case .explicit(let weights): self = .explicit(weights)
      }
    }
  }

  /// Null, a word, or an object of weights.
  public var parameterValue: ParameterValue {
    self == .balancedSubsample ? .string("balancedSubsample") : wholeData.parameterValue
  }
}

extension ForestClassWeight {
  /// The same weights for every tree.
  init(_ weights: ClassWeight) {
    switch weights {
    case .uniform: self = .uniform
    case .balanced: self = .balanced
    case .explicit(let weights): self = .explicit(weights)
    }
  }
}
