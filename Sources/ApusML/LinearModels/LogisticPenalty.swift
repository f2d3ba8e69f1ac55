import ApusParallel

/// The penalty of a logistic regression.
public enum LogisticPenalty: String, ParameterChoice, Sendable {
  /// The mixture that ``LogisticRegression/l1Ratio`` says; without one, that of ``l2``.
  case byRatio
  /// Half the sum of the squares.
  case l2
  /// The sum of the magnitudes, which sets some coefficients to exactly zero.
  case l1
  /// A mixture of both; without a ratio, in equal parts.
  case elasticnet
  /// None.
  case none

  /// Takes a word, or null for none.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .null: self = .none
    case .string(let word):
      let folded = word.lowercased().filter { $0 != "-" && $0 != "_" }
      guard let penalty = Self.allCases.first(where: { $0.rawValue.lowercased() == folded }) else {
        return nil
      }
      self = penalty
    default: return nil
    }
  }

  /// The share of L1 in the penalty.
  func l1Share(ratio: Double?) -> Double {
    switch self {
    case .byRatio: ratio ?? 0
    case .elasticnet: ratio ?? 0.5
    case .l2, .none: 0
    case .l1: 1
    }
  }
}
