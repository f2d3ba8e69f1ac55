import ApusData
import ApusParallel

/// An estimator whose candidates can share work when they are fitted on the same data.
///
/// A search hands candidates of the same fold to one job when they differ only in hyperparameters between
/// which work can be shared: all strengths of a ridge penalty, for example, need one decomposition.
///
/// ```swift
/// extension Ridge: JointlyFittable {
///   public var jointRepresentative: Ridge {
///     var representative = self
///     representative.alpha = 1
///     return representative
///   }
///   public static func fitJointly(
///     _ estimators: [Ridge], on data: Dataset, _ context: FitContext
///   ) throws -> [Result<RidgeModel, any Error>] { … }
/// }
/// ```
///
/// The contract, which tests check: each model predicts, to the bit, what the candidate's own
/// ``Estimator/fit(_:_:)`` on the same data and context would.
public protocol JointlyFittable: Estimator {
  /// This estimator with the hyperparameters in which candidates may differ set to a fixed value; candidates
  /// with equal representatives are fitted together.
  var jointRepresentative: Self { get }

  /// Whether nearly all of a fit's work is shared. If so, a group is divided only to give every slot a part;
  /// else it is divided further, so that slots finish at about the same time. True unless given.
  var sharesMostWork: Bool { get }

  /// Fits candidates that have the same representative.
  ///
  /// - Returns: a model for each candidate, in their order, or why that candidate could not be fitted.
  /// - Throws: when the shared work failed; each candidate is then fitted alone.
  static func fitJointly(
    _ estimators: [Self], on data: Dataset, _ context: FitContext
  ) throws -> [Result<Model, any Error>]
}

extension JointlyFittable {
  /// True.
  public var sharesMostWork: Bool { true }
}

/// The fit of one candidate among others.
struct CandidateFit: Sendable {
  var model: Result<any FittedModel, any Error>
  /// The wall-clock time of the fit; where fits were shared, an equal part of it.
  var seconds: Double
}

package enum JointFit {
  /// What candidates must have in common to share work: nil where an estimator shares none.
  package static func representative(of estimator: AnyEstimator) -> AnyEstimator? {
    (estimator.base as? any JointlyFittable).map { AnyEstimator($0.jointRepresentative) }
  }

  /// Fits candidates of one group, together where there is more than one.
  ///
  /// - Throws: only when the work was cancelled.
  static func fit(
    _ estimators: [AnyEstimator], on data: Dataset, _ context: FitContext
  ) throws -> [CandidateFit] {
    if estimators.count > 1, let first = estimators[0].base as? any JointlyFittable {
      let start = ContinuousClock.now
      if let models = try together(first, estimators, data, context) {
        let seconds = start.elapsedSeconds / Double(models.count)
        return models.map { CandidateFit(model: $0, seconds: seconds) }
      }
    }
    return try estimators.map { estimator in
      let start = ContinuousClock.now
      let model = try alone(estimator.base, data, context)
      return CandidateFit(model: model, seconds: start.elapsedSeconds)
    }
  }

  /// Fits estimators of one type, those together that can share work.
  ///
  /// - Throws: only when the work was cancelled.
  static func fit<E: Estimator>(
    typed estimators: [E], on data: Dataset, _ context: FitContext
  ) throws -> [Result<any FittedModel, any Error>] {
    var groups: [AnyEstimator: [Int]] = [:]
    var models = [Result<any FittedModel, any Error>?](repeating: nil, count: estimators.count)
    for (index, estimator) in estimators.enumerated() {
      if let representative = representative(of: AnyEstimator(estimator)) {
        groups[representative, default: []].append(index)
      } else {
        models[index] = try alone(estimator, data, context)
      }
    }
    for members in groups.values {
      let fits = try fit(members.map { AnyEstimator(estimators[$0]) }, on: data, context)
      for (index, fit) in zip(members, fits) { models[index] = fit.model }
    }
    return models.compactMap { $0 }
  }

  private static func together<E: JointlyFittable>(
    _ first: E, _ estimators: [AnyEstimator], _ data: Dataset, _ context: FitContext
  ) throws -> [Result<any FittedModel, any Error>]? {
    let typed = estimators.compactMap { $0.base as? E }
    guard typed.count == estimators.count else { return nil }
    let models = try? E.fitJointly(typed, on: data, context)
    try context.compute.cancellation.check()
    guard let models, models.count == typed.count else { return nil }
    return models.map { model in model.map { $0 as any FittedModel } }
  }

  private static func alone<E: Estimator>(
    _ estimator: E, _ data: Dataset, _ context: FitContext
  ) throws -> Result<any FittedModel, any Error> {
    do {
      return .success(try estimator.fit(data, context))
    } catch {
      try context.compute.cancellation.check()
      return .failure(error)
    }
  }
}

extension ContinuousClock.Instant {
  /// The wall-clock time since this instant, in seconds.
  var elapsedSeconds: Double {
    let (seconds, attoseconds) = duration(to: .now).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
