import Apus
import Foundation
import Yams

/// The search space as the command line spells it: estimators and parameters, a file, or both.
struct SearchSpaceArguments {
  var estimators: [String]
  var parameters: [String]
  var file: String?

  /// The space; what the file holds comes first.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`, or `file` when the file cannot be read.
  var space: SearchSpace {
    get throws {
      guard !estimators.isEmpty || file != nil else {
        throw ApusError(
          .invalidParameter, "which estimators should be tried?",
          hint: "name one with --estimator ('apus estimators' lists them), or give --space FILE")
      }
      guard !estimators.isEmpty || parameters.isEmpty else {
        throw ApusError(
          .invalidParameter, "--param belongs to an --estimator, but there is none",
          hint: "name the estimator, or write the parameter into the file of --space")
      }
      let fromFile = try file.map { try read($0) }
      guard !estimators.isEmpty else { return fromFile! }
      let spaces = try parameters.map { try ParameterSpace.parsingAssignment($0) }
      var names = Set<String>()
      for (name, _) in spaces where !names.insert(name).inserted {
        throw ApusError(
          .invalidParameter, "the values of '\(name)' are given twice",
          hint: "write one list of all its values")
      }
      let named = try SearchSpace(
        estimators: estimators.map { try AnyEstimator(named: $0) }, parameters: spaces)
      return fromFile.map { $0 + named } ?? named
    }
  }

  private func read(_ path: String) throws -> SearchSpace {
    let file = try SharedBytes(mapping: path)
    let text = String(decoding: file.bytes, as: UTF8.self)
    let tree: ParameterValue
    do {
      tree = try YAMLDecoder().decode(ParameterValue.self, from: text)
    } catch {
      throw ApusError(
        .invalidParameter, "the search space is not YAML: \(Self.reason(error))",
        hint: "for example [{estimator: ridge, parameters: {alpha: [0.1, 1, 10]}}]", at: .init(file: path))
    }
    do { return try SearchSpace(tree) } catch var error as ApusError {
      error.location = .init(file: path)
      throw error
    }
  }

  private static func reason(_ error: any Error) -> String {
    if let error = error as? DecodingError, case .dataCorrupted(let context) = error {
      return context.underlyingError.map { "\($0)" } ?? context.debugDescription
    }
    return "\(error)"
  }
}
