import ApusData
import ApusParallel

extension ElasticNet: JointlyFittable {
  /// Candidates on the same centred data share the sums over the rows, which with many rows are nearly all of
  /// the work; each descends from zero, as it would alone.
  public var jointRepresentative: ElasticNet { ElasticNet(fitIntercept: fitIntercept) }

  /// Forms the sums over the rows once and descends for each candidate.
  ///
  /// - Throws: ``ApusError`` when the data cannot be learnt from with any penalty.
  public static func fitJointly(
    _ estimators: [ElasticNet], on data: Dataset, _ context: FitContext
  ) throws -> [Result<LinearRegressionModel, any Error>] {
    guard let first = estimators.first else { return [] }
    let problem = try ElasticNetProblem(
      data, estimator: name, fitIntercept: first.fitIntercept, context.compute)
    return estimators.map { estimator in
      Result {
        try estimator.validate()
        return try estimator.fit(problem, context)
      }
    }
  }
}

extension Lasso: JointlyFittable {
  /// Candidates on the same centred data share the sums over the rows, as those of ``ElasticNet`` do.
  public var jointRepresentative: Lasso { Lasso(fitIntercept: fitIntercept) }

  /// Forms the sums over the rows once and descends for each candidate.
  ///
  /// - Throws: ``ApusError`` when the data cannot be learnt from with any penalty.
  public static func fitJointly(
    _ estimators: [Lasso], on data: Dataset, _ context: FitContext
  ) throws -> [Result<LinearRegressionModel, any Error>] {
    guard let first = estimators.first else { return [] }
    let problem = try ElasticNetProblem(
      data, estimator: name, fitIntercept: first.fitIntercept, context.compute)
    return estimators.map { estimator in
      Result {
        try estimator.validate()
        return try estimator.asElasticNet.fit(problem, context)
      }
    }
  }
}
