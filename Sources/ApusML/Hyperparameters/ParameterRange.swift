/// The numbers a hyperparameter may take; applies to numbers only, so `null` and words pass.
public struct ParameterRange: Sendable, Hashable {
  /// The lower end, if there is one.
  public var minimum: Double?
  /// Whether the lower end itself is allowed.
  public var includesMinimum: Bool
  /// The upper end, if there is one; it is always allowed.
  public var maximum: Double?
  /// Whether infinity is allowed, where there is no upper end.
  public var allowsInfinity = false

  /// Any finite number.
  public static let any = ParameterRange(minimum: nil, includesMinimum: true, maximum: nil)

  /// Numbers of at least `minimum`.
  public static func atLeast(_ minimum: Double) -> ParameterRange {
    ParameterRange(minimum: minimum, includesMinimum: true, maximum: nil)
  }

  /// Numbers above `minimum`.
  public static func above(_ minimum: Double) -> ParameterRange {
    ParameterRange(minimum: minimum, includesMinimum: false, maximum: nil)
  }

  /// Numbers above `minimum`, and infinity.
  public static func aboveOrInfinite(_ minimum: Double) -> ParameterRange {
    var range = above(minimum)
    range.allowsInfinity = true
    return range
  }

  /// Numbers from `minimum` to `maximum`, both allowed.
  public static func between(_ minimum: Double, _ maximum: Double) -> ParameterRange {
    ParameterRange(minimum: minimum, includesMinimum: true, maximum: maximum)
  }

  /// Numbers above `minimum` and up to `maximum`.
  public static func above(_ minimum: Double, upTo maximum: Double) -> ParameterRange {
    ParameterRange(minimum: minimum, includesMinimum: false, maximum: maximum)
  }

  /// Whether a value lies in the range; what is not a number does.
  public func contains(_ value: ParameterValue) -> Bool {
    guard let number = value.number else { return true }
    guard number.isFinite else { return allowsInfinity && number == .infinity }
    if let minimum, includesMinimum ? number < minimum : number <= minimum { return false }
    if let maximum, number > maximum { return false }
    return true
  }
}

extension ParameterRange: CustomStringConvertible {
  /// The range in words: `at least 1`, `above 0`, `from 0 to 1`.
  public var description: String {
    func text(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
    switch (minimum, maximum) {
    case (nil, nil): return "finite"
    case (let low?, nil):
      let bound = includesMinimum ? "at least \(text(low))" : "above \(text(low))"
      return allowsInfinity ? "\(bound), or inf" : bound
    case (nil, let high?): return "at most \(text(high))"
    case (let low?, let high?):
      return includesMinimum
        ? "from \(text(low)) to \(text(high))" : "above \(text(low)) and at most \(text(high))"
    }
  }
}
