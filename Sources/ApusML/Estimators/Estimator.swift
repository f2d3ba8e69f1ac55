import ApusData
import ApusParallel

/// An algorithm with its hyperparameters, ready to be fitted: a plain value that can be copied, compared,
/// stored and sent.
///
/// Fitting gives a value of another type, ``Model``, so using an estimator that was not fitted does not
/// compile. All randomness comes from the context's seed: the same estimator, data and seed give the same
/// model to the bit, on any number of threads.
///
/// ```swift
/// var forest = RandomForestClassifier()
/// forest.treeCount = 200
/// let model = try forest.fit(data)
/// let labels = try model.predictLabels(newFeatures)
/// ```
///
/// To add an estimator, conform a struct to this protocol, list its properties in ``hyperparameters`` and
/// register it with ``EstimatorRegistry``; searches, the command line and every backend then know it.
public protocol Estimator: Codable, Hashable, Sendable {
  /// What fitting makes.
  associatedtype Model: FittedModel

  /// The name in kebab case: on the command line, in results and in saved models.
  static var name: String { get }

  /// What the estimator does, in a sentence.
  static var summary: String { get }

  /// What the estimator is for.
  static var task: LearningTask { get }

  /// Every hyperparameter, in the order in which they are listed to users.
  static var hyperparameters: [Hyperparameter<Self>] { get }

  /// An estimator with the default hyperparameters.
  init()

  /// Checks the hyperparameters, alone and together, before any data is touched.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func validate() throws

  /// Learns from data.
  ///
  /// - Parameters:
  ///   - data: the rows to learn from, with their weights.
  ///   - context: the seed, the threads that may be used and the flag that stops the work.
  /// - Throws: ``ApusError``: `invalidParameter` for hyperparameters, `data` for data it cannot learn from,
  ///   `numerical`, `cancelled`.
  func fit(_ data: Dataset, _ context: FitContext) throws -> Model
}

/// What an estimator is for; decides which metrics and splitters suit it.
public enum LearningTask: String, Sendable, Codable, CaseIterable {
  /// Predicts one of several classes.
  case classification
  /// Predicts a number.
  case regression
  /// Finds groups without a target.
  case clustering
  /// Turns features into other features.
  case transformation
}

extension Estimator {
  /// Checks each hyperparameter's range.
  public func validate() throws { try checkRanges() }

  /// Checks each hyperparameter's range; for implementations of ``validate()`` that check more.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that names the estimator and the parameter.
  public func checkRanges() throws {
    for parameter in Self.hyperparameters {
      do { try parameter.check(self) } catch var error as ApusError {
        error.message = "\(Self.name): \(error.message)"
        throw error
      }
    }
  }

  /// Learns from data with every CPU this process may use and seed 0.
  ///
  /// - Throws: as ``fit(_:_:)`` does.
  public func fit(_ data: Dataset) throws -> Model { try fit(data, FitContext()) }

  /// The hyperparameters by name.
  public var parameters: [String: ParameterValue] {
    Dictionary(uniqueKeysWithValues: Self.hyperparameters.map { ($0.name, $0.value(in: self)) })
  }

  /// The hyperparameter with a name, in Apus' or scikit-learn's spelling; for a pipeline also without the
  /// step's name when only one step has it.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that suggests the nearest name and lists all.
  public static func hyperparameter(named name: String) throws -> Hyperparameter<Self> {
    let all = hyperparameters
    if let exact = all.first(where: { $0.name == name || $0.aliases.contains(name) }) { return exact }
    let unqualified = all.filter { parameter in
      ([parameter.name] + parameter.aliases).contains { $0.hasSuffix(".\(name)") }
    }
    if unqualified.count == 1 { return unqualified[0] }
    let names = all.map(\.name)
    if unqualified.count > 1 {
      throw ApusError(
        .invalidParameter,
        "'\(name)' could be any of \(unqualified.map(\.name).joined(separator: ", ")) of \(Self.name)",
        hint: "write the step's name before it")
    }
    let suggestion = names.nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
    throw ApusError(
      .invalidParameter, "\(Self.name) has no parameter '\(name)'",
      hint: "\(suggestion)valid parameters: \(names.isEmpty ? "none" : names.joined(separator: ", "))")
  }

  /// The error for a hyperparameter that is given by two of its names.
  static func givenTwice(_ name: String, as spellings: [String], hint: String) -> ApusError {
    let shown = spellings.map { "'\($0)'" }.joined(separator: " and ")
    return ApusError(.invalidParameter, "\(Self.name): \(name) is given twice, as \(shown)", hint: hint)
  }

  /// This estimator with some hyperparameters changed.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for an unknown name, two names of the same hyperparameter, or a
  ///   value of the wrong type or range.
  public func setting(_ values: [String: ParameterValue]) throws -> Self {
    var changed = self
    // One of two values would be lost without a word.
    var spellings: [String: String] = [:]
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      do {
        let parameter = try Self.hyperparameter(named: name)
        if let other = spellings.updateValue(name, forKey: parameter.name) {
          throw Self.givenTwice(parameter.name, as: [other, name], hint: "leave one of the two out")
        }
        try parameter.set(value, in: &changed)
      } catch var error as ApusError {
        if !error.message.contains(Self.name) { error.message = "\(Self.name): \(error.message)" }
        throw error
      }
    }
    return changed
  }
}
