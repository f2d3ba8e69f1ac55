import ApusML
import ApusParallel
import Foundation

/// Hyperparameters as text that is the same for equal values: JSON with sorted keys, numbers in the fewest
/// digits that give them back.
enum CandidateText {
  /// Every hyperparameter of an estimator.
  static func parameters(of estimator: AnyEstimator) -> String { text(of: .object(estimator.parameters)) }

  /// The digest of an estimator's name and hyperparameters.
  static func digest(estimator: String, parameters: String) -> Digest {
    var hasher = DigestHasher()
    var (estimator, parameters) = (estimator, parameters)
    estimator.withUTF8 { hasher.updateWithLength(UnsafeRawBufferPointer($0)) }
    parameters.withUTF8 { hasher.updateWithLength(UnsafeRawBufferPointer($0)) }
    return hasher.finish()
  }

  /// The values that were written as text.
  ///
  /// - Throws: ``ApusError`` of kind `format` when it is not such a text.
  static func values(_ text: String) throws -> [String: ParameterValue] {
    do {
      return try JSONDecoder.jobs.decode([String: ParameterValue].self, from: Data(text.utf8))
    } catch { throw ApusError(.format, "the hyperparameters of a candidate are damaged", cause: error) }
  }

  /// A value as text.
  static func text(of value: ParameterValue) -> String {
    var text = ""
    write(value, to: &text)
    return text
  }

  private static func write(_ value: ParameterValue, to text: inout String) {
    switch value {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    // JSON has no such numbers; the decoder knows these words.
    case .real(let value): text += value.isFinite ? "\(value)" : "\"\(value)\""
    case .string(let value): write(value, to: &text)
    case .list(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        write(value, to: &text)
      }
      text += "]"
    case .object(let values):
      text += "{"
      for (index, (name, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { text += "," }
        write(name, to: &text)
        text += ":"
        write(value, to: &text)
      }
      text += "}"
    }
  }

  private static func write(_ word: String, to text: inout String) {
    text += "\""
    for scalar in word.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\u{0}"..<" ": text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
