/// A hyperparameter's value without its Swift type: as it stands in a search space, on the command line, in a
/// results table or in a saved model.
public enum ParameterValue: Sendable, Hashable {
  /// No value, written `null`: for example no limit on a tree's depth.
  case null
  /// `true` or `false`.
  case boolean(Bool)
  /// A whole number.
  case integer(Int)
  /// A number.
  case real(Double)
  /// A word, such as a criterion's name.
  case string(String)
  /// Values in order.
  case list([ParameterValue])
  /// Values by name, such as a weight for each class.
  case object([String: ParameterValue])
}

extension ParameterValue {
  /// The value as a number, if it is one.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
}

extension ParameterValue: CustomStringConvertible {
  /// The value as JSON would write it, words without quotation marks.
  public var description: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .string(let value): value
    case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    case .object(let values):
      "{" + values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
    }
  }
}

extension ParameterValue: Codable {
  /// Writes the value as plain JSON: `null`, `true`, `3`, `0.5`, `"gini"`, `[…]`, `{…}`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .real(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }

  /// Reads plain JSON; a number without a fraction becomes a whole number.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .real(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let values = try? container.decode([ParameterValue].self) {
      self = .list(values)
    } else {
      self = .object(try container.decode([String: ParameterValue].self))
    }
  }
}
