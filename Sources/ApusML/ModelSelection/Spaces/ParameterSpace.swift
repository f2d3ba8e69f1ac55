import ApusParallel
import Foundation

/// The values that a search may give to one hyperparameter: a list, or a distribution to draw from.
///
/// ```swift
/// ParameterSpace.log(from: 1e-3, to: 1e3, count: 7)   // 0.001, 0.01, … 1000
/// ParameterSpace.logUniform(1e-3, 1e3)                // for random search
/// ```
public enum ParameterSpace: Sendable, Hashable, Codable {
  /// These values.
  case values([ParameterValue])
  /// Numbers between two bounds, all equally likely.
  case uniform(Double, Double)
  /// Numbers between two positive bounds, their logarithms equally likely.
  case logUniform(Double, Double)
  /// Whole numbers from one bound to another, both included, all equally likely.
  case integer(Int, Int)
}

extension ParameterSpace {
  /// Evenly spaced numbers, both ends included.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for fewer than one number, more than a million, or ends that
  ///   are infinite or further apart than a number can say.
  public static func linear(from start: Double, to end: Double, count: Int) throws -> ParameterSpace {
    guard count >= 1, start.isFinite, end.isFinite else {
      throw invalid("linear(\(start), \(end), \(count)) needs two finite ends and a count of at least 1")
    }
    try requireFiniteSpan(start, end, "linear(\(start), \(end), \(count))")
    try SearchLimits.check(values: Double(count), of: "linear(\(start), \(end), \(count))")
    return .values(spaced(start, end, count).map { .real($0) })
  }

  /// Numbers whose logarithms are evenly spaced, both ends included.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for fewer than one number, more than a million, or ends that
  ///   are not positive.
  public static func log(from start: Double, to end: Double, count: Int) throws -> ParameterSpace {
    guard count >= 1, start > 0, end > 0, start.isFinite, end.isFinite else {
      throw invalid("log(\(start), \(end), \(count)) needs two positive ends and a count of at least 1")
    }
    try SearchLimits.check(values: Double(count), of: "log(\(start), \(end), \(count))")
    var numbers = spaced(log10(start), log10(end), count).map { pow(10, $0) }
    // The ends are meant exactly, whatever their logarithms round to.
    numbers[count - 1] = end
    numbers[0] = start
    return .values(numbers.map { .real($0) })
  }

  /// Numbers from a start up to, and where it is hit including, an end.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a step that does not lead from start to end, or makes more
  ///   than a million of it.
  public static func range(from start: Double, to end: Double, step: Double = 1) throws -> ParameterSpace {
    guard start.isFinite, end.isFinite, step.isFinite, step != 0, (end - start) / step >= 0 else {
      throw invalid("range(\(start), \(end), \(step)) has no numbers in it")
    }
    // A little more than the quotient, so that 0.1 steps reach an end that they miss by rounding.
    let steps = ((end - start) / step * (1 + 4 * .ulpOfOne)).rounded(.down)
    try SearchLimits.check(values: steps + 1, of: "range(\(start), \(end), \(step))")
    let count = Int(steps) + 1
    return .values(
      (0..<count).map { index in
        let number = start + Double(index) * step
        return Int(exactly: number).map { .integer($0) } ?? .real(number)
      })
  }

  /// The number of values; nil for a distribution.
  public var count: Int? {
    if case .values(let values) = self { values.count } else { nil }
  }

  /// Checks that there is something to choose from.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  package func check(for name: String) throws {
    switch self {
    case .values(let values):
      guard !values.isEmpty else {
        throw ApusError(
          .invalidParameter, "the search has no values for '\(name)'",
          hint: "give at least one, for example \(name)=[…]")
      }
    case .uniform(let low, let high):
      guard low.isFinite, high.isFinite, low <= high else {
        throw Self.invalid("'\(name)': uniform(\(low), \(high)) needs two ascending finite bounds")
      }
      try Self.requireFiniteSpan(low, high, "'\(name)': uniform(\(low), \(high))")
    case .logUniform(let low, let high):
      guard low > 0, high.isFinite, low <= high else {
        throw Self.invalid("'\(name)': loguniform(\(low), \(high)) needs two ascending positive bounds")
      }
    case .integer(let low, let high):
      guard low <= high else {
        throw Self.invalid("'\(name)': integer(\(low), \(high)) needs two ascending bounds")
      }
    }
  }

  /// A value drawn at random.
  package func draw(_ random: inout RandomSource) -> ParameterValue {
    switch self {
    case .values(let values): return values[random.integer(below: values.count)]
    case .uniform(let low, let high): return .real(low + random.uniform() * (high - low))
    case .logUniform(let low, let high):
      let exponent = Foundation.log(low) + random.uniform() * (Foundation.log(high) - Foundation.log(low))
      return .real(min(max(exp(exponent), low), high))
    case .integer(let low, let high): return .integer(random.integer(from: low, to: high))
    }
  }

  /// Values at the bounds, which stand for all others when a type or range is checked.
  var samples: [ParameterValue] {
    switch self {
    case .values(let values): values
    case .uniform(let low, let high), .logUniform(let low, let high): [.real(low), .real(high)]
    case .integer(let low, let high): [.integer(low), .integer(high)]
    }
  }

  private static func spaced(_ start: Double, _ end: Double, _ count: Int) -> [Double] {
    guard count > 1 else { return [start] }
    return (0..<count).map { index in
      index == count - 1 ? end : start + Double(index) * ((end - start) / Double(count - 1))
    }
  }

  /// Steps and points are parts of the distance of the ends, which may overflow though both do not.
  private static func requireFiniteSpan(_ start: Double, _ end: Double, _ shown: String) throws {
    guard (end - start).isFinite else {
      throw ApusError(
        .invalidParameter, "\(shown) reaches further than a number can say",
        hint: "choose ends that are less than \(Double.greatestFiniteMagnitude) apart")
    }
  }

  static func invalid(_ message: String) -> ApusError { ApusError(.invalidParameter, message) }
}
