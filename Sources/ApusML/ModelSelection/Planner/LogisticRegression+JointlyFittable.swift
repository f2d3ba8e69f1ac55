import ApusData
import ApusParallel

extension LogisticRegression: JointlyFittable {
  /// Candidates on the same rows share what is known of them at zero, where each begins: the means, the rows in single
  /// precision, the gradient and the curvature there.
  public var jointRepresentative: LogisticRegression {
    LogisticRegression(fitIntercept: fitIntercept, classWeight: classWeight)
  }

  /// False: the way from there is each candidate's own.
  public var sharesMostWork: Bool { false }

  /// Finds out what is known at zero once and walks to each candidate's minimum.
  ///
  /// - Throws: ``ApusError`` when the data cannot be learnt from with any penalty.
  public static func fitJointly(
    _ estimators: [LogisticRegression], on data: Dataset, _ context: FitContext
  ) throws -> [Result<LogisticRegressionModel, any Error>] {
    guard let first = estimators.first else { return [] }
    var problem = try LogisticProblem(data, first, context.compute)
    if estimators.contains(where: { $0.penalty.l1Share(ratio: $0.l1Ratio) == 0 }) { try problem.prepare() }
    return estimators.map { estimator in
      Result {
        try estimator.validate()
        return try estimator.fit(problem)
      }
    }
  }
}
