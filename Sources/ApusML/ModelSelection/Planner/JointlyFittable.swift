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
///   ) throws -> [RidgeModel] { … }
/// }
/// ```
///
/// The contract, which tests check: each model equals, to the bit, what the candidate's own
/// ``Estimator/fit(_:_:)`` makes of the same data and context.
public protocol JointlyFittable: Estimator {
  /// This estimator with the hyperparameters in which candidates may differ set to a fixed value; candidates
  /// with equal representatives are fitted together.
  var jointRepresentative: Self { get }

  /// Fits candidates that have the same representative.
  ///
  /// - Returns: a model for each candidate, in their order.
  /// - Throws: when any candidate cannot be fitted; each is then fitted alone, so that only those fail that
  ///   must.
  static func fitJointly(_ estimators: [Self], on data: Dataset, _ context: FitContext) throws -> [Model]
}

/// The fit of one candidate among others.
struct CandidateFit: Sendable {
  var model: Result<any FittedModel, any Error>
  /// The wall-clock time of the fit; where fits were shared, an equal part of it.
  var seconds: Double
}

enum JointFit {
  /// What candidates must have in common to share work: nil where an estimator shares none.
  static func representative(of estimator: AnyEstimator) -> AnyEstimator? {
    (estimator.base as? any JointlyFittable).map { AnyEstimator($0.jointRepresentative) }
  }

  /// Fits candidates of one group, together where there is more than one.
  ///
  /// - Throws: only when the work was cancelled.
  static func fit(_ estimators: [AnyEstimator], on data: Dataset, _ context: FitContext) throws
    -> [CandidateFit]
  {
    if estimators.count > 1, let first = estimators[0].base as? any JointlyFittable,
      let fits = try together(first, estimators, data, context)
    {
      return fits
    }
    return try estimators.map { try alone($0.base, data, context) }
  }

  private static func together<E: JointlyFittable>(
    _ first: E, _ estimators: [AnyEstimator], _ data: Dataset, _ context: FitContext
  ) throws -> [CandidateFit]? {
    let typed = estimators.compactMap { $0.base as? E }
    guard typed.count == estimators.count else { return nil }
    let start = ContinuousClock.now
    guard let models = try? E.fitJointly(typed, on: data, context), models.count == typed.count else {
      try context.compute.cancellation.check()
      return nil
    }
    let seconds = start.elapsedSeconds / Double(models.count)
    return models.map { CandidateFit(model: .success($0), seconds: seconds) }
  }

  private static func alone<E: Estimator>(
    _ estimator: E, _ data: Dataset, _ context: FitContext
  ) throws -> CandidateFit {
    let start = ContinuousClock.now
    do {
      let model = try estimator.fit(data, context)
      return CandidateFit(model: .success(model), seconds: start.elapsedSeconds)
    } catch {
      try context.compute.cancellation.check()
      return CandidateFit(model: .failure(error), seconds: start.elapsedSeconds)
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
