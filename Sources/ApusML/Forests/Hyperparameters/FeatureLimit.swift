/// How many features a tree looks at for each split.
public enum FeatureLimit: Hashable, Sendable, Codable {
  /// All features.
  case all
  /// The square root of their number, rounded down.
  case squareRoot
  /// The binary logarithm of their number, rounded down.
  case log2
  /// A share of their number, above 0 and at most 1, rounded down.
  case fraction(Double)
  /// A number of at least 1; all features where there are fewer.
  case count(Int)

  /// The number of features, at least 1 and at most `featureCount`.
  func resolved(featureCount: Int) -> Int {
    let p = Double(featureCount)
    let count =
      switch self {
      case .all: featureCount
      case .squareRoot: Int(p.squareRoot())
      case .log2: featureCount < 2 ? 1 : Int.bitWidth - 1 - featureCount.leadingZeroBitCount
      case .fraction(let share): Int(share * p)
      case .count(let count): count
      }
    return min(max(1, count), featureCount)
  }
}

extension FeatureLimit: ParameterConvertible {
  /// `null, "sqrt", "log2", a share or a number of features`.
  public static var parameterType: String {
    "null (all), \"sqrt\", \"log2\", a share above 0 and at most 1.0, or a whole number of at least 1"
  }

  /// Takes null, a word, a share or a number; `1` is one feature and `1.0` all, as in scikit-learn.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .null, .string("all"): self = .all
    case .string("sqrt"), .string("squareRoot"): self = .squareRoot
    case .string("log2"): self = .log2
    case .integer(let count) where count >= 1: self = .count(count)
    case .real(let share) where share > 0 && share <= 1: self = .fraction(share)
    case .real(let count) where count > 1:
      guard let whole = Int(exactly: count) else { return nil }
      self = .count(whole)
    default: return nil
    }
  }

  /// Null, a word, a share or a number.
  public var parameterValue: ParameterValue {
    switch self {
    case .all: .null
    case .squareRoot: .string("sqrt")
    case .log2: .string("log2")
    case .fraction(let share): .real(share)
    case .count(let count): .integer(count)
    }
  }

  /// Whether a number is at least 1, and a share above 0 and at most 1.
  var isValid: Bool {
    switch self {
    case .all, .squareRoot, .log2: true
    case .count(let count): count >= 1
    case .fraction(let share): share > 0 && share <= 1
    }
  }
}

extension FeatureLimit: CustomStringConvertible {
  /// Null, a word, a share or a number.
  public var description: String { parameterValue.description }
}
