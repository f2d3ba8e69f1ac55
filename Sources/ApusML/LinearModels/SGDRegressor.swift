import ApusData
import ApusParallel

/// Linear regression by stochastic gradient descent: for more rows than other methods have the time for, or than
/// fit into memory (features may be a mapped file).
///
/// Minimises `Σᵢ sᵢ·loss(xᵢ, yᵢ) / n + α·penalty(w)` as scikit-learn's `SGDRegressor` does. The steps depend on
/// the scale of the features: put a `standard-scaler` before it. The order of rows comes from the seed.
///
/// ```swift
/// let model = try SGDRegressor(averages: true).fit(data)
/// ```
///
/// O(p) a row.
public struct SGDRegressor: StochasticEstimator {
  /// `sgd-regressor`.
  public static let name = "sgd-regressor"
  /// One line for listings.
  public static let summary = "Linear regression by stochastic gradient descent, for very many rows."
  /// Regression.
  public static let task = LearningTask.regression
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<SGDRegressor>] =
    [Hyperparameter("loss", \.loss, "The loss: squared, or less moved by outliers.")]
    + descentParameters

  /// The loss of a row.
  public var loss: SGDRegressorLoss
  /// The penalty on the coefficients.
  public var penalty: LinearPenalty
  /// The strength of the penalty, above 0.
  public var alpha: Double
  /// The share of L1 in the elastic-net penalty, from 0 to 1.
  public var l1Ratio: Double
  /// Whether to add an intercept, which is not penalised.
  public var fitIntercept: Bool
  /// How the length of steps changes.
  public var learningRate: LearningRateSchedule
  /// The first step's length, above 0; the optimal schedule takes no notice of it.
  public var eta0: Double
  /// The number of rows of a step, which goes by the mean of their gradients; 1 as in scikit-learn. More rows make
  /// steps steadier and fewer, so that an epoch gets less far.
  public var batchSize: Int
  /// Whether to return the mean of the steps after the first epoch, of all where there is one epoch, instead of the
  /// last.
  public var averages: Bool
  /// The fit ends after five epochs that better the mean loss by less; nil for all epochs, and
  /// then the model's convergence is nil.
  public var tolerance: Double?
  /// The largest number of epochs.
  public var maxIterations: Int

  /// Creates an estimator with scikit-learn's defaults.
  public init(
    loss: SGDRegressorLoss = .squaredError, penalty: LinearPenalty = .l2, alpha: Double = 1e-4,
    l1Ratio: Double = 0.15, fitIntercept: Bool = true, learningRate: LearningRateSchedule = .invscaling,
    eta0: Double = 0.01, batchSize: Int = 1, averages: Bool = false, tolerance: Double? = 1e-3,
    maxIterations: Int = 1000
  ) {
    self.loss = loss
    self.penalty = penalty
    self.alpha = alpha
    self.l1Ratio = l1Ratio
    self.fitIntercept = fitIntercept
    self.learningRate = learningRate
    self.eta0 = eta0
    self.batchSize = batchSize
    self.averages = averages
    self.tolerance = tolerance
    self.maxIterations = maxIterations
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(loss: .squaredError) }

  /// Learns from data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; `data` for a target that holds no numbers, features
  ///   that are missing or categorical, or weights that are all zero; `numerical` when the steps grow without
  ///   bound; `cancelled`.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LinearRegressionModel {
    try validate()
    let target = try data.regressionTarget(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let descent = self.descent(
      features: data.features, target: target, weights: data.weights, loss: loss.loss)
    context.compute.progress?.begin("epochs", of: tolerance == nil ? maxIterations : nil)
    let fit = try descent.descend(seed: context.seed, name: Self.name, context.compute)
    return LinearRegressionModel(
      coefficients: fit.coefficients, intercept: fit.intercept, convergence: fit.convergence)
  }
}

/// The losses of ``SGDRegressor``.
public enum SGDRegressorLoss: String, ParameterChoice, Sendable {
  /// Half the squared error.
  case squaredError
  /// Half the squared error near zero, linear beyond 0.1.
  case huber

  var loss: StochasticLoss {
    switch self {
    case .squaredError: .squaredError
    case .huber: .huber
    }
  }
}
