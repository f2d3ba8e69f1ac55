import ApusData
import ApusParallel

/// An estimator whose model transforms features, so that it can stand before another in a ``Pipeline``.
public protocol TransformerEstimator: Estimator where Model: TransformationModel {}

/// A transformer followed by another estimator, fitted and used as one.
///
/// The transformer is fitted on the training rows alone, so nothing of a test fold leaks into it. Pipelines
/// nest: the last step may be a pipeline, which gives any length.
///
/// ```swift
/// var estimator = Pipeline(StandardScaler(), LogisticRegression())
/// estimator.last.c = 10
/// ```
///
/// Hyperparameters are named after the steps: `standardScaler.withMean`, `logisticRegression.c`;
/// scikit-learn's `standardscaler__with_mean` is accepted too.
public struct Pipeline<First: TransformerEstimator, Last: Estimator>: Estimator {
  /// The transformer that is applied first.
  public var first: First
  /// The estimator that is fitted on the transformed features.
  public var last: Last

  /// Joins two steps.
  public init(_ first: First, _ last: Last) {
    self.first = first
    self.last = last
  }

  /// Both steps with their default hyperparameters.
  public init() { self.init(First(), Last()) }

  /// The steps' names joined by `+`.
  public static var name: String { "\(First.name)+\(Last.name)" }

  /// The steps' summaries, joined.
  public static var summary: String { "\(First.summary) Then: \(Last.summary)" }

  /// What the last step is for.
  public static var task: LearningTask { Last.task }

  /// The hyperparameters of both steps, with the steps' names before them; a step that comes again is
  /// numbered: `standardScaler.withMean`, `standardScaler2.withMean`.
  public static var hyperparameters: [Hyperparameter<Pipeline>] {
    let first = steps(of: \Pipeline.first)
    let numbering = StepNumbering(after: first.flatMap { [$0.name] + $0.aliases })
    return first + steps(of: \Pipeline.last).map { $0.renamed(numbering.spelling) }
  }

  /// Checks both steps.
  public func validate() throws {
    try first.validate()
    try last.validate()
  }

  /// Fits the transformer, then the last step on what it makes of the same rows.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> PipelineModel<First.Model, Last.Model> {
    try validate()
    let (transformer, transformed) = try first.fitTransforming(data, context)
    return PipelineModel(first: transformer, last: try last.fit(transformed, context.step(1)))
  }

  private static func steps<Step: Estimator>(
    of path: any WritableKeyPath<Pipeline, Step> & Sendable
  ) -> [Hyperparameter<Pipeline>] {
    // A nested pipeline's parameters carry their steps' names already.
    let isPipeline = Step.self is any AnyPipeline.Type
    return Step.hyperparameters.map { parameter in
      parameter.lifted(
        through: path, prefix: isPipeline ? nil : Step.name.camelCased,
        aliasPrefix: Step.name.filter { $0 != "-" })
    }
  }
}

/// Numbers the steps of a pipeline that come again after a step of the same name.
private struct StepNumbering {
  private let counts: [String: Int]

  init(after names: [String]) {
    counts = Set(names.compactMap { Self.parts($0)?.step }).reduce(into: [:]) { counts, step in
      counts[Self.unnumbered(step), default: 0] += 1
    }
  }

  func spelling(_ name: String) -> String {
    guard let (step, rest) = Self.parts(name) else { return name }
    let base = Self.unnumbered(step)
    guard let count = counts[base] else { return name }
    let number = Int(step.dropFirst(base.count)) ?? 1
    return "\(base)\(number + count)\(rest)"
  }

  /// The step, and the rest from the dot or the two underscores on.
  private static func parts(_ name: String) -> (step: String, rest: String)? {
    guard let end = name.firstIndex(of: ".") ?? name.firstRange(of: "__")?.lowerBound else { return nil }
    return (String(name[..<end]), String(name[end...]))
  }

  private static func unnumbered(_ step: String) -> String {
    let digits = step.reversed().prefix { $0.isNumber }.count
    return String(step.dropLast(digits))
  }
}

extension Pipeline: TransformerEstimator where Last: TransformerEstimator {}

/// Tells pipelines from other estimators when types are known only as the program runs.
protocol AnyPipeline {}
extension Pipeline: AnyPipeline {}

extension FitContext {
  /// The context of a step of a pipeline, with a seed of its own.
  func step(_ index: Int) -> FitContext {
    FitContext(seed: seed.derived("step", index), compute: compute)
  }
}

extension String {
  /// `logistic-regression` as `logisticRegression`.
  fileprivate var camelCased: String {
    let words = split(separator: "-")
    return words.prefix(1).joined()
      + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}
