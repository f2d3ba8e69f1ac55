import ApusData
import ApusParallel

extension SVR: JointlyFittable {
  /// Candidates with one kernel share the distances, or the products, of all pairs of rows, as those of ``SVC`` do.
  public var jointRepresentative: SVR {
    var representative = SVR()
    representative.kernel = kernel
    return representative
  }

  /// False: the steps to the optimum are each candidate's own.
  public var sharesMostWork: Bool { false }

  /// Computes distances or products once and fits each candidate; where there are too many rows, each alone.
  ///
  /// - Throws: ``ApusError`` when the data cannot be learnt from by any candidate.
  public static func fitJointly(
    _ estimators: [SVR], on data: Dataset, _ context: FitContext
  ) throws -> [Result<SVRModel, any Error>] {
    guard let first = estimators.first else { return [] }
    var shared: SharedKernel?
    if data.rowCount <= KernelProducts.mostPoints {
      try data.requireFiniteNumbers(for: name)
      let function = KernelFunction(
        first.kernel, gamma: first.gamma, constant: first.coef0, degree: first.degree, features: data.features
      )
      shared = try SharedKernel(
        function, data.features, order: Array(0..<data.rowCount), context.compute)
    }
    return estimators.map { estimator in
      Result {
        try estimator.validate()
        return try estimator.fit(data, context, shared: shared)
      }
    }
  }
}
