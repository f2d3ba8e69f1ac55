import Apus
import Foundation

/// Hyperparameters as `--set key=value` gives them.
enum Settings {
  /// Reads settings.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for text without `=` or a name given twice.
  static func parse(_ texts: [String]) throws -> [String: ParameterValue] {
    var settings: [String: ParameterValue] = [:]
    for text in texts {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw ApusError(
          .invalidParameter, "'--set \(text)' is not a setting", hint: "write --set name=value")
      }
      let name = text[..<equals].trimmingCharacters(in: .whitespaces)
      let value: ParameterValue
      do { value = try ParameterValue(parsing: String(text[text.index(after: equals)...])) } catch var error
        as ApusError
      {
        error.message = "--set \(name): \(error.message)"
        throw error
      }
      guard settings.updateValue(value, forKey: name) == nil else {
        throw ApusError(.invalidParameter, "'\(name)' is set twice", hint: "leave one of the two out")
      }
    }
    return settings
  }
}

extension AnyEstimator {
  /// The estimator with a name and settings, its hyperparameters checked.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  init(named name: String, settings: [String]) throws {
    try self.init(named: name, parameters: Settings.parse(settings))
    try base.validate()
  }
}
