import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Principal component analysis: the orthogonal directions of largest variance, and features as coordinates
/// along them.
///
/// Many rows of few features are decomposed through their covariance, others through the singular values of the
/// centred features. Each direction's largest component is positive, so signs are the same everywhere. Rows
/// count by their weights: a weight of 2 is the row twice.
///
/// ```swift
/// var pca = PCA()
/// pca.componentCount = .count(2)
/// let plane = try pca.fit(data).transform(data.features)
/// ```
public struct PCA: TransformerEstimator {
  /// How many components are kept.
  public var componentCount = ComponentCount.all
  /// Whether coordinates are divided by their standard deviation.
  public var whiten = false

  /// Creates an analysis that keeps all components.
  public init() {}

  /// `pca`.
  public static let name = "pca"
  /// What it does.
  public static let summary = "Turns features into coordinates along their principal components."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<PCA>] = [
    Hyperparameter(
      "componentCount", \.componentCount, alias: "n_components", in: .above(0),
      "How many components are kept: a number, a share of the variance below 1, or null for all."),
    Hyperparameter("whiten", \.whiten, "Whether coordinates are divided by their standard deviation."),
  ]

  /// Finds the principal components.
  ///
  /// - Throws: ``ApusError``: `data` for missing values, categories, or more components asked for than rows or
  ///   features; `numerical` when a decomposition fails.
  /// - Complexity: O(n · p · min(n, p)).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> PCAModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    let weightSum = data.weights?.reduce(0, +) ?? Double(data.rowCount)
    let (means, directions) = try PrincipalDirections.aroundMeans(
      of: data, estimator: Self.name, context.compute)
    let divisor = max(weightSum - 1, .leastNormalMagnitude)
    let variances = directions.squaredSingularValues.map { $0 / divisor }
    let total = variances.reduce(0, +)
    let kept = try componentCount.resolved(variances: variances, estimator: Self.name)
    return PCAModel(
      means: means, components: directions.rows.rows(0..<kept),
      explainedVariances: Array(variances[..<kept]),
      explainedVarianceRatios: variances[..<kept].map { total > 0 ? $0 / total : 0 },
      singularValues: directions.squaredSingularValues[..<kept].map { $0.squareRoot() }, whiten: whiten)
  }
}

/// Truncated singular value decomposition: like ``PCA``, but of features as they are, not centred.
public struct TruncatedSVD: TransformerEstimator {
  /// How many components are kept.
  public var componentCount = 2

  /// Creates a decomposition that keeps 2 components.
  public init() {}

  /// `truncated-svd`.
  public static let name = "truncated-svd"
  /// What it does.
  public static let summary = "Turns features into coordinates along their first singular vectors."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<TruncatedSVD>] = [
    Hyperparameter(
      "componentCount", \.componentCount, alias: "n_components", in: .atLeast(1),
      "How many components are kept.")
  ]

  /// Finds the singular vectors.
  ///
  /// - Throws: as ``PCA/fit(_:_:)`` does.
  /// - Complexity: O(n · p · min(n, p)).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> PCAModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let largest = data.features.withUnsafeElements { $0.reduce(0) { max($0, abs($1)) } }
    guard (largest * largest * Double(data.rowCount) * (data.weights?.max() ?? 1)).isFinite else {
      try refuse(data, Self.name)
    }
    let directions = try PrincipalDirections(data.features, weights: data.weights, context.compute)
    let kept = try ComponentCount.count(componentCount)
      .resolved(variances: directions.squaredSingularValues, estimator: Self.name)
    let components = directions.rows.rows(0..<kept)
    let zeros = [Double](repeating: 0, count: data.featureCount)
    let coordinates = try data.features.multiplied(byTransposeOf: components, context.compute)
    let moments = try ColumnMoments(coordinates, weights: data.weights, context.compute)
    let total = try ColumnMoments(data.features, weights: data.weights, context.compute)
      .variances.reduce(0, +)
    return PCAModel(
      means: zeros, components: components, explainedVariances: moments.variances,
      explainedVarianceRatios: moments.variances.map { total > 0 ? $0 / total : 0 },
      singularValues: directions.squaredSingularValues[..<kept].map { $0.squareRoot() }, whiten: false)
  }
}

/// How many components ``PCA`` keeps.
public enum ComponentCount: Sendable, Hashable, Codable {
  /// As many as there are, the smaller of rows and features.
  case all
  /// A number of them.
  case count(Int)
  /// As few as explain a share of the variance, above 0 and below 1.
  case varianceShare(Double)

  fileprivate func resolved(variances: [Double], estimator: String) throws -> Int {
    switch self {
    case .all: return variances.count
    case .count(let count):
      guard count <= variances.count else {
        throw ApusError(
          .data,
          "\(estimator): \(count) components were asked for, but rows and features allow \(variances.count)",
          hint: "lower componentCount")
      }
      return count
    case .varianceShare(let share):
      let wanted = share * variances.reduce(0, +)
      var sum = 0.0
      for (index, variance) in variances.enumerated() {
        sum += variance
        if sum > wanted { return index + 1 }
      }
      return variances.count
    }
  }
}

extension ComponentCount: ParameterConvertible {
  /// `whole number, share of the variance below 1 or null`.
  public static var parameterType: String { "whole number, share of the variance below 1 or null" }

  /// Takes null, a whole number, or a number below 1.
  public init?(parameterValue: ParameterValue) {
    if case .null = parameterValue {
      self = .all
    } else if let count = Int(parameterValue: parameterValue) {
      self = .count(count)
    } else if let share = parameterValue.number, share < 1 {
      self = .varianceShare(share)
    } else {
      return nil
    }
  }

  /// Null or the number.
  public var parameterValue: ParameterValue {
    switch self {
    case .all: .null
    case .count(let count): .integer(count)
    case .varianceShare(let share): .real(share)
    }
  }
}
