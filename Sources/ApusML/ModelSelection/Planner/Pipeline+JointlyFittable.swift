import ApusData
import ApusParallel

extension Pipeline: JointlyFittable {
  /// Candidates with the same transformer share its fit and what it makes of the rows, and beyond that
  /// whatever their last steps can share.
  public var jointRepresentative: Pipeline { Pipeline(first, Last()) }

  /// What the last step says: a transformer alone is seldom most of the work.
  public var sharesMostWork: Bool { (last as? any JointlyFittable)?.sharesMostWork ?? false }

  /// Fits the transformer once, then the last steps.
  ///
  /// - Throws: what the transformer's fit throws.
  public static func fitJointly(
    _ estimators: [Pipeline], on data: Dataset, _ context: FitContext
  ) throws -> [Result<PipelineModel<First.Model, Last.Model>, any Error>] {
    guard let first = estimators.first?.first else { return [] }
    let (transformer, transformed) = try first.fitTransforming(data, context)
    let models = try JointFit.fit(
      typed: estimators.map(\.last), on: transformed, context.step(1))
    return models.map { model in
      model.flatMap { model in
        guard let last = model as? Last.Model else {
          return .failure(ApusError(.job, "\(Last.name) made a model of another type"))
        }
        return .success(PipelineModel(first: transformer, last: last))
      }
    }
  }
}

extension TransformerEstimator {
  /// Fits as the first step of a pipeline, and transforms the same rows.
  ///
  /// - Throws: what the fit or the transformation throws.
  func fitTransforming(
    _ data: Dataset, _ context: FitContext
  ) throws -> (model: Model, transformed: Dataset) {
    let model = try fit(data, context.step(0))
    let features = try model.transform(data.features, context.compute)
    return (
      model, data.replacingFeatures(features, columns: model.transformedColumns(data.columns))
    )
  }
}
