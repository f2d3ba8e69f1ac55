import ApusML
import ApusParallel
import Foundation

/// A hyperparameter's values as points of the unit interval, or as categories.
enum UnitDimension: Sendable {
  /// Numbers between two bounds, by their logarithms or not.
  case numbers(low: Double, high: Double, isLogarithmic: Bool)
  /// Whole numbers from one bound to another; each owns an equal share of the interval.
  case integers(low: Int, high: Int)
  /// Values in the order of their size; each owns an equal share of the interval.
  case ordered([ParameterValue])
  /// Values without an order.
  case categories([ParameterValue])

  init(_ space: ParameterSpace) {
    switch space {
    case .uniform(let low, let high): self = .numbers(low: low, high: high, isLogarithmic: false)
    case .logUniform(let low, let high): self = .numbers(low: low, high: high, isLogarithmic: true)
    case .integer(let low, let high): self = .integers(low: low, high: high)
    case .values(let values):
      let isOrdered = values.count > 2 && values.allSatisfy { $0.number != nil }
      self =
        isOrdered
        ? .ordered(values.sorted { ($0.number ?? 0) < ($1.number ?? 0) }) : .categories(values)
    }
  }

  /// The number of categories; nil where values have an order.
  var categoryCount: Int? { if case .categories(let values) = self { values.count } else { nil } }

  /// The value at a point from 0 to 1; for categories, at a position.
  func value(at point: Double) -> ParameterValue {
    switch self {
    case .numbers(let low, let high, let isLogarithmic):
      guard low < high else { return .real(low) }
      let number =
        isLogarithmic ? exp(log(low) + point * (log(high) - log(low))) : low + point * (high - low)
      return .real(min(max(number, low), high))
    case .integers(let low, let high): return .integer(low &+ Self.offset(point, upTo: high &- low))
    case .ordered(let values): return values[Self.cell(point, of: values.count)]
    case .categories(let values): return values[min(max(Int(point), 0), values.count - 1)]
    }
  }

  /// The point of a value, in the middle of its share; for categories, the position.
  func point(of value: ParameterValue) -> Double {
    switch self {
    case .numbers(let low, let high, let isLogarithmic):
      guard low < high, let number = value.number else { return 0.5 }
      let point =
        isLogarithmic ? (log(number) - log(low)) / (log(high) - log(low)) : (number - low) / (high - low)
      return min(max(point, 0), 1)
    case .integers(let low, let high):
      return ((value.number ?? 0) - Double(low) + 0.5) / (Double(high) - Double(low) + 1)
    case .ordered(let values):
      let position = values.firstIndex { $0.number == value.number } ?? 0
      return (Double(position) + 0.5) / Double(values.count)
    case .categories(let values): return Double(values.firstIndex(of: value) ?? 0)
    }
  }

  /// A point drawn at random.
  func draw(_ random: inout RandomSource) -> Double {
    categoryCount.map { Double(random.integer(below: $0)) } ?? random.uniform()
  }

  /// The whole number from 0 to a span at a point; both are to be read without a sign, since whole numbers may lie
  /// further apart than the largest of them.
  private static func offset(_ point: Double, upTo span: Int) -> Int {
    let span = UInt(bitPattern: span)
    let scaled = (point * (Double(span) + 1)).rounded(.down)
    return Int(bitPattern: scaled < Double(span) ? UInt(max(0, scaled)) : span)
  }

  private static func cell(_ point: Double, of count: Int) -> Int {
    min(max(Int((point * Double(count)).rounded(.down)), 0), count - 1)
  }
}
