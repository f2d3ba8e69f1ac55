/// A type that a hyperparameter's property can have: it turns into a ``ParameterValue`` and back.
public protocol ParameterConvertible: Sendable, Equatable {
  /// What a value looks like, for messages and listings: `whole number`, `number or null`, `one of gini, entropy`.
  static var parameterType: String { get }

  /// Makes the value; nil when the parameter value has another type.
  init?(parameterValue: ParameterValue)

  /// The value without its Swift type.
  var parameterValue: ParameterValue { get }
}

extension Bool: ParameterConvertible {
  /// `true or false`.
  public static var parameterType: String { "true or false" }

  /// Takes a boolean.
  public init?(parameterValue: ParameterValue) {
    guard case .boolean(let value) = parameterValue else { return nil }
    self = value
  }

  /// A boolean.
  public var parameterValue: ParameterValue { .boolean(self) }
}

extension Int: ParameterConvertible {
  /// `whole number`.
  public static var parameterType: String { "whole number" }

  /// Takes a whole number, also one written with a fraction of zero (`3.0`, `1e3`).
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .integer(let value): self = value
    case .real(let value):
      guard let exact = Int(exactly: value) else { return nil }
      self = exact
    default: return nil
    }
  }

  /// A whole number.
  public var parameterValue: ParameterValue { .integer(self) }
}

extension Double: ParameterConvertible {
  /// `number`.
  public static var parameterType: String { "number" }

  /// Takes any number, and the word `inf`, since infinity is no number of JSON.
  public init?(parameterValue: ParameterValue) {
    if case .string("inf") = parameterValue {
      self = .infinity
    } else if let value = parameterValue.number {
      self = value
    } else {
      return nil
    }
  }

  /// A number.
  public var parameterValue: ParameterValue { .real(self) }
}

extension String: ParameterConvertible {
  /// `text`.
  public static var parameterType: String { "text" }

  /// Takes a text.
  public init?(parameterValue: ParameterValue) {
    guard case .string(let text) = parameterValue else { return nil }
    self = text
  }

  /// A text.
  public var parameterValue: ParameterValue { .string(self) }
}

extension Optional: ParameterConvertible where Wrapped: ParameterConvertible {
  /// The wrapped type's, `or null`.
  public static var parameterType: String { "\(Wrapped.parameterType) or null" }

  /// Takes null, or what the wrapped type takes.
  public init?(parameterValue: ParameterValue) {
    if case .null = parameterValue {
      self = Self.none
    } else if let value = Wrapped(parameterValue: parameterValue) {
      self = value
    } else {
      return nil
    }
  }

  /// Null, or the wrapped value.
  public var parameterValue: ParameterValue { self?.parameterValue ?? .null }
}

/// A hyperparameter with a fixed list of words as its values; conform a `String` enumeration to it.
public protocol ParameterChoice: ParameterConvertible, CaseIterable, Codable, Hashable,
  RawRepresentable<String>
{}

extension ParameterChoice {
  /// `one of a, b, c`.
  public static var parameterType: String {
    "one of " + allCases.map(\.rawValue).joined(separator: ", ")
  }

  /// Takes one of the words, with scikit-learn's underscores or in Swift's spelling.
  public init?(parameterValue: ParameterValue) {
    guard case .string(let word) = parameterValue else { return nil }
    let folded = word.lowercased().filter { $0 != "_" && $0 != "-" }
    guard let match = Self.allCases.first(where: { $0.rawValue.lowercased() == folded }) else { return nil }
    self = match
  }

  /// The word.
  public var parameterValue: ParameterValue { .string(rawValue) }
}
