import ApusData
import ApusParallel

extension Ridge: JointlyFittable {
  /// Candidates that differ in the penalty alone share the sums over the rows, which are nearly all of the
  /// work.
  public var jointRepresentative: Ridge { Ridge(alpha: 1, fitIntercept: fitIntercept, positive: positive) }

  /// Forms the sums over the rows once and solves for each penalty.
  ///
  /// - Throws: ``ApusError`` when the data cannot be learnt from with any penalty.
  public static func fitJointly(
    _ estimators: [Ridge], on data: Dataset, _ context: FitContext
  ) throws -> [Result<LinearRegressionModel, any Error>] {
    guard let first = estimators.first else { return [] }
    let solve = try first.solver(for: data, context.compute)
    return estimators.map { estimator in
      Result {
        try estimator.validate()
        return try solve(estimator.alpha)
      }
    }
  }
}
