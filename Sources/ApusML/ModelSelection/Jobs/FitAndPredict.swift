import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Fits an estimator on the training rows of one fold and predicts its test rows.
package struct FitAndPredict: Job {
  package static let wireName = "apus.fit-and-predict"

  /// The rows.
  package var data: DataReference<Dataset>
  /// How they are divided.
  package var splits: DataReference<SplitPlan>
  /// The number of the split.
  package var fold: Int
  /// The estimator.
  package var estimator: AnyEstimator
  /// Whether probabilities are wanted instead of classes.
  package var wantsProbabilities: Bool
  /// The seed of the cross-validation.
  package var seed: Seed

  package init(
    data: DataReference<Dataset>, splits: DataReference<SplitPlan>, fold: Int, estimator: AnyEstimator,
    wantsProbabilities: Bool, seed: Seed
  ) {
    self.data = data
    self.splits = splits
    self.fold = fold
    self.estimator = estimator
    self.wantsProbabilities = wantsProbabilities
    self.seed = seed
  }

  package var label: String { "\(estimator.name), fold \(fold)" }

  package func run(in context: JobContext) throws -> FoldPredictions {
    let rows = try FoldCache.gather(data, splits, fold, in: context)
    let fitContext = FitContext(seed: seed.derived("fold", fold), compute: context.compute)
    let model = try estimator.base.fittedModel(rows.train, fitContext)
    let evaluation = Evaluation(model, on: rows.test, context.compute)
    switch estimator.task {
    case .classification:
      return wantsProbabilities
        ? .probabilities(try evaluation.probabilities())
        : .classes(PackedArray(try evaluation.predictedClasses()))
    case .regression: return .values(PackedArray(try evaluation.predictedValues()))
    case .clustering: return .clusters(PackedArray(try evaluation.clusters()))
    case .transformation:
      throw ApusError(.unsupported, "\(estimator.name) predicts nothing; it transforms features")
    }
  }
}

/// The predictions of one fold's test rows, in their order.
package enum FoldPredictions: Sendable, Codable {
  /// Positions in the data set's labels.
  case classes(PackedArray<Int32>)
  /// One column for each of the data set's labels.
  case probabilities(Matrix<Double>)
  /// Numbers.
  case values(PackedArray<Double>)
  /// Numbers of clusters.
  case clusters(PackedArray<Int32>)
}

extension Estimator {
  /// Fits, with the model's type forgotten.
  package func fittedModel(_ data: Dataset, _ context: FitContext) throws -> any FittedModel {
    try fit(data, context)
  }
}
