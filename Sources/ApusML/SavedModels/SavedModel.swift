import ApusData
import ApusParallel

/// A fitted model with all that is needed to use it on new data: the estimator it came from, the columns it
/// was fitted on, and the labels of its classes.
///
/// ```swift
/// let saved = SavedModel(estimator: AnyEstimator(forest), model: model, fittedOn: data, seed: Seed(0))
/// try saved.write(to: "iris.model")
/// let again = try SavedModel(contentsOf: "iris.model")
/// let labels = try again.predictLabels(newData)
/// ```
public struct SavedModel: Sendable {
  /// The estimator and its hyperparameters.
  public let estimator: AnyEstimator
  /// The columns the model was fitted on, in order, with their categories, and its target.
  public let schema: DatasetSchema
  /// What the model was fitted on, and how well it did.
  public let training: TrainingSummary
  /// The model itself; ask with `as?` what it can do.
  public let model: any FittedModel

  /// Puts a model together with its surroundings.
  ///
  /// - Parameters:
  ///   - estimator: the estimator that was fitted.
  ///   - model: what fitting it made.
  ///   - data: the rows it was fitted on.
  ///   - seed: the seed of the fit.
  ///   - score: how well the model, or its hyperparameters, did where that was measured.
  public init(
    estimator: AnyEstimator, model: any FittedModel, fittedOn data: Dataset, seed: Seed,
    score: TrainingSummary.Score? = nil
  ) {
    self.init(
      estimator: estimator, schema: data.schema,
      training: TrainingSummary(rowCount: data.rowCount, seed: seed, score: score), model: model)
  }

  init(
    estimator: AnyEstimator, schema: DatasetSchema, training: TrainingSummary, model: any FittedModel
  ) {
    self.estimator = estimator
    self.schema = schema
    self.training = training
    self.model = model
  }

  /// What the model is for.
  public var task: LearningTask { estimator.task }

  /// The labels of the classes it predicts; empty unless it predicts classes.
  public var classLabels: [String] { (model as? any ClassificationModel)?.classLabels ?? [] }
}

/// What a saved model was fitted on, and how well it did.
public struct TrainingSummary: Sendable, Hashable, Codable {
  /// A score of the model's hyperparameters, as a search or a test file gave it.
  public struct Score: Sendable, Hashable, Codable {
    /// The metric's name.
    public var metric: String
    /// Its value.
    public var value: Double
    /// How it was measured: `5-fold cross-validation`, `test.csv`.
    public var measuredBy: String

    /// Creates a score.
    public init(metric: String, value: Double, measuredBy: String) {
      self.metric = metric
      self.value = value
      self.measuredBy = measuredBy
    }
  }

  /// The number of rows.
  public var rowCount: Int
  /// The seed of the fit.
  public var seed: Seed
  /// How well it did, where that was measured.
  public var score: Score?

  /// Creates a summary.
  public init(rowCount: Int, seed: Seed, score: Score? = nil) {
    self.rowCount = rowCount
    self.seed = seed
    self.score = score
  }
}
