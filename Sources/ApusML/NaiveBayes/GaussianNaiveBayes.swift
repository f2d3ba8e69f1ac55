import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A classifier that takes each feature for normal within each class, independent of the others.
///
/// Means, variances and, unless given, the classes' shares come from the weighted training rows. A share of
/// the largest variance of a feature is added to all variances, so that constant features do no harm.
public struct GaussianNaiveBayes: Estimator {
  /// The share of the largest feature variance that is added to every variance.
  public var varSmoothing = 1e-9
  /// The classes' probabilities before any feature is seen.
  public var priors = ClassPriors.fromData

  /// Creates a classifier with the defaults of scikit-learn.
  public init() {}

  /// `gaussian-naive-bayes`.
  public static let name = "gaussian-naive-bayes"
  /// What it does.
  public static let summary = "Classifier that takes features for normal and independent within each class."
  /// Classification.
  public static let task = LearningTask.classification

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<GaussianNaiveBayes>] = [
    Hyperparameter(
      "varSmoothing", \.varSmoothing, in: .atLeast(0),
      "The share of the largest feature variance that is added to every variance."),
    Hyperparameter("priors", \.priors, "The classes' probabilities; null: their shares of the data."),
  ]

  /// Checks the ranges, and that given priors are probabilities that sum to 1.
  public func validate() throws {
    try checkRanges()
    guard case .explicit(let values) = priors else { return }
    let sum = values.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value }
    guard abs(sum - 1) < 1e-6 else {
      throw ApusError(
        .invalidParameter, "\(Self.name): the priors \(priors.parameterValue) sum to \(sum), not to 1")
    }
  }

  /// Measures every feature within every class.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; `data` for missing values, categories, fewer than two
  ///   classes, or priors that leave out a class or give a share to one that does not occur.
  /// - Complexity: O(n · p).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> GaussianNaiveBayesModel {
    try validate()
    let input = try ClassificationInput(data, estimator: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let priorProbabilities = try priors.probabilities(of: input.labels, estimator: Self.name)
    let overall = try ColumnMoments(data.features, weights: nil, context.compute)
    let added = varSmoothing * (overall.variances.max() ?? 0)
    let (k, p) = (input.labels.count, data.featureCount)
    let moments = try (0..<k).map { label in
      let rows = input.classes.indices.filter {
        input.classes[$0] == Int32(label) && input.weights?[$0] != 0
      }
      return try ColumnMoments(
        data.features.gatheringRows(rows), weights: input.weights.map { all in rows.map { all[$0] } },
        context.compute)
    }
    guard added.isFinite, moments.allSatisfy({ $0.variances.allSatisfy(\.isFinite) }) else {
      throw ApusError(
        .numerical, "\(Self.name): the squares of the features are too large for a Double",
        hint: "put standard-scaler before it: standard-scaler+\(Self.name)")
    }
    let shares = moments.map { $0.weightSums[0] }
    let total = shares.reduce(0, +)
    return GaussianNaiveBayesModel(
      classLabels: input.labels, priors: priorProbabilities ?? shares.map { $0 / total },
      means: Matrix(rowCount: k, columnCount: p) { _ = $0.update(fromContentsOf: moments.flatMap(\.means)) },
      variances: Matrix(rowCount: k, columnCount: p) {
        // A feature without any spread keeps a variance that can be divided by.
        let variances = moments.flatMap(\.variances).map { max($0 + added, .leastNormalMagnitude) }
        _ = $0.update(fromContentsOf: variances)
      })
  }
}

/// The probabilities of the classes before any feature is seen.
public enum ClassPriors: Sendable, Hashable, Codable {
  /// The classes' shares of the weighted training rows.
  case fromData
  /// A probability for each label.
  case explicit([String: Double])

  fileprivate func probabilities(of labels: [String], estimator: String) throws -> [Double]? {
    guard case .explicit(let values) = self else { return nil }
    let found = labels.compactMap { values[$0] }
    guard found.count == labels.count, abs(found.reduce(0, +) - 1) < 1e-6 else {
      throw ApusError(
        .data,
        "\(estimator): the priors \(parameterValue) are not probabilities of the classes "
          + "\(labels.joined(separator: ", ")) that sum to 1")
    }
    return found
  }
}

extension ClassPriors: ParameterConvertible {
  /// `null or {label: probability}`.
  public static var parameterType: String { "null or {label: probability, …}" }

  /// Takes null, or an object of probabilities.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .null: self = .fromData
    case .object(let values):
      let numbers = values.compactMapValues(\.number).filter { (0...1).contains($0.value) }
      guard numbers.count == values.count else { return nil }
      self = .explicit(numbers)
    default: return nil
    }
  }

  /// Null, or an object of probabilities.
  public var parameterValue: ParameterValue {
    switch self {
    case .fromData: .null
    case .explicit(let values): .object(values.mapValues { .real($0) })
    }
  }
}
