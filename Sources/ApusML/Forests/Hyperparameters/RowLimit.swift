/// A number of rows, absolute or as a share of the rows of a fit.
public enum RowLimit: Hashable, Sendable, Codable {
  /// A number of rows, at least 1.
  case count(Int)
  /// A share of the rows, above 0 and at most 1.
  case fraction(Double)

  /// The least number of rows: a share is rounded up.
  func roundedUp(rowCount: Int) -> Int {
    switch self {
    case .count(let count): count
    case .fraction(let share): Int((share * Double(rowCount)).rounded(.up))
    }
  }

  /// The number of rows to draw: a share is rounded to the nearest number, at least 1.
  func rounded(rowCount: Int) -> Int {
    switch self {
    case .count(let count): count
    case .fraction(let share): max(1, Int((share * Double(rowCount)).rounded(.toNearestOrEven)))
    }
  }
}

extension RowLimit: ParameterConvertible {
  /// `a whole number of rows or a share of them`.
  public static var parameterType: String {
    "whole number of at least 1, or share above 0 and at most 1.0"
  }

  /// Takes a number of rows or a share; `1` is one row and `1.0` all, as in scikit-learn.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .integer(let count) where count >= 1: self = .count(count)
    case .real(let share) where share > 0 && share <= 1: self = .fraction(share)
    case .real(let count) where count > 1:
      guard let whole = Int(exactly: count) else { return nil }
      self = .count(whole)
    default: return nil
    }
  }

  /// The number or the share.
  public var parameterValue: ParameterValue {
    switch self {
    case .count(let count): .integer(count)
    case .fraction(let share): .real(share)
    }
  }

  /// Whether the number is at least 1, or the share above 0 and at most 1.
  var isValid: Bool {
    switch self {
    case .count(let count): count >= 1
    case .fraction(let share): share > 0 && share <= 1
    }
  }
}

extension RowLimit: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  /// A number of rows.
  public init(integerLiteral value: Int) { self = .count(value) }

  /// A share of the rows.
  public init(floatLiteral value: Double) { self = .fraction(value) }
}

extension RowLimit: CustomStringConvertible {
  /// The number or the share.
  public var description: String { parameterValue.description }
}
