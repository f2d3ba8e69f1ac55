import ApusData
import ApusLinearAlgebra
import ApusParallel

/// How much a model's score falls when a feature's values are shuffled among the rows (Breiman, 2001): what
/// the model makes of that feature, whatever kind of model it is.
///
/// ```swift
/// let importance = try PermutationImportance(of: model, on: test, metric: .accuracy)
/// for (feature, mean) in zip(importance.features, importance.means) { print(feature, mean) }
/// ```
///
/// Of features that tell the same, each looks unimportant, because the other is still there. Use rows that the
/// model has not seen.
public struct PermutationImportance: Sendable, Hashable, Codable {
  /// The names of the features.
  public var features: [String]
  /// The metric's name.
  public var metric: String
  /// The score on the rows as they are.
  public var baseline: Double
  /// The fall of the score for each feature and repeat.
  public var drops: [[Double]]

  /// The most repeats, each of which leaves a number a feature; the error of the mean is then 0.3 % of the deviation.
  package static let mostRepeats = 100_000

  /// The mean fall of each feature.
  public var means: [Double] { drops.map { meanAndDeviation($0).mean } }

  /// The standard deviation of each feature's falls, with divisor `repeats`.
  public var standardDeviations: [Double] { drops.map { meanAndDeviation($0).deviation } }

  /// Shuffles one feature after the other and scores the model.
  ///
  /// - Parameters:
  ///   - model: the fitted model.
  ///   - data: the rows to score on, with their weights.
  ///   - metric: what is scored.
  ///   - repeats: how often each feature is shuffled; 5 unless given.
  ///   - seed: the root of the shuffles; feature and repeat have seeds of their own.
  ///   - compute: the threads that may be used; the answer does not depend on them.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for fewer than one repeat, or more than 100,000;
  ///   else what the metric throws.
  /// - Complexity: p × repeats predictions of all rows; a copy of the features for each thread.
  public init(
    of model: any FittedModel, on data: Dataset, metric: Metric, repeats: Int = 5, seed: Seed = Seed(0),
    _ compute: ComputeContext = .allCPUs
  ) throws {
    guard repeats >= 1 else {
      throw ApusError(
        .invalidParameter, "permutation importance needs at least 1 repeat, but was given \(repeats)")
    }
    guard repeats <= Self.mostRepeats else {
      throw ApusError(
        .invalidParameter,
        "permutation importance takes at most \(Self.mostRepeats.grouped) repeats, but was given \(repeats.grouped)"
      )
    }
    features = data.featureNames
    self.metric = metric.name
    let baseline = try metric.score(model, on: data, compute)
    self.baseline = baseline
    let single = ComputeContext(threads: 1, cancellation: compute.cancellation)
    compute.progress?.begin("features", of: data.featureCount)
    drops = try compute.map(data.featureCount) { column in
      defer { compute.progress?.advance() }
      let values = data.features.column(column)
      return try (0..<repeats).map { repetition in
        try compute.cancellation.check()
        var random = seed.derived("feature", column).derived("repeat", repetition).randomSource()
        let order = random.permutation(data.rowCount)
        var features = data.features
        features.withUnsafeMutableElements { elements in
          for row in 0..<order.count { elements[row * data.featureCount + column] = values[order[row]] }
        }
        let shuffled = data.replacingFeatures(features, columns: data.columns)
        return baseline - (try metric.score(model, on: shuffled, single))
      }
    }
  }
}
