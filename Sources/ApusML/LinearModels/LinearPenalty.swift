import ApusParallel

/// A penalty on the coefficients of a linear classifier or a stochastic fit.
public enum LinearPenalty: String, ParameterChoice, Sendable {
  /// Half the sum of their squares.
  case l2
  /// The sum of their magnitudes, which sets some to exactly zero.
  case l1
  /// A mixture of both, by the share `l1Ratio`.
  case elasticnet
  /// None; its strength has no effect then.
  case none

  /// Takes a word, or null for none.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .null: self = .none
    case .string(let word):
      let folded = word.lowercased().filter { $0 != "-" && $0 != "_" }
      guard let penalty = LinearPenalty(rawValue: folded) else { return nil }
      self = penalty
    default: return nil
    }
  }

  /// The share of L1 in the penalty.
  func l1Share(ratio: Double) -> Double {
    switch self {
    case .l2, .none: 0
    case .l1: 1
    case .elasticnet: ratio
    }
  }
}
