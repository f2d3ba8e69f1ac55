import ApusLinearAlgebra

/// What estimators by stochastic gradient descent have in common.
public protocol StochasticEstimator: Estimator {
  /// The penalty on the coefficients.
  var penalty: LinearPenalty { get set }
  /// The strength of the penalty, above 0.
  var alpha: Double { get set }
  /// The share of L1 in the elastic-net penalty, from 0 to 1.
  var l1Ratio: Double { get set }
  /// Whether to add an intercept, which is not penalised.
  var fitIntercept: Bool { get set }
  /// How the length of steps changes.
  var learningRate: LearningRateSchedule { get set }
  /// The first step's length, above 0; the optimal schedule takes no notice of it.
  var eta0: Double { get set }
  /// The number of rows of a step.
  var batchSize: Int { get set }
  /// Whether to return the mean of the steps after the first epoch instead of the last step.
  var averages: Bool { get set }
  /// The fit ends after five epochs that better the mean loss by less; nil for all epochs.
  var tolerance: Double? { get set }
  /// The largest number of epochs.
  var maxIterations: Int { get set }
}

extension StochasticEstimator {
  /// The hyperparameters beside the loss.
  static var descentParameters: [Hyperparameter<Self>] {
    [
      Hyperparameter("penalty", \Self.penalty, "The penalty on the coefficients."),
      Hyperparameter("alpha", \Self.alpha, in: .above(0), "Strength of the penalty."),
      Hyperparameter(
        "l1Ratio", \Self.l1Ratio, alias: "l1_ratio", in: .between(0, 1),
        "Share of L1 in the elastic-net penalty."),
      Hyperparameter(
        "fitIntercept", \Self.fitIntercept, "Whether to add an intercept, which is not penalised."),
      Hyperparameter("learningRate", \Self.learningRate, "How the length of steps changes."),
      Hyperparameter(
        "eta0", \Self.eta0, in: .above(0), "The first step's length, except with the optimal schedule."),
      Hyperparameter(
        "batchSize", \Self.batchSize, in: .atLeast(1),
        "The rows of a step, which goes by their mean gradient."),
      Hyperparameter(
        "averages", \Self.averages, alias: "average",
        "Whether to return the mean of the steps after the first epoch."),
      Hyperparameter(
        "tolerance", \Self.tolerance, alias: "tol", in: .atLeast(0),
        "The fit ends after five epochs that better the mean loss by less; null for all epochs."),
      Hyperparameter(
        "maxIterations", \Self.maxIterations, alias: "max_iter", in: .atLeast(1),
        "The largest number of epochs."),
    ]
  }

  /// The descent for one linear function.
  func descent(
    features: Matrix<Double>, target: [Double], weights: [Double]?, loss: StochasticLoss
  ) -> StochasticGradient {
    StochasticGradient(
      features: features, target: target, weights: weights, loss: loss,
      penalty: StochasticPenalty(
        alpha: penalty == .none ? 0 : alpha, l1Share: penalty.l1Share(ratio: l1Ratio)),
      schedule: LearningRate(learningRate, eta0: eta0, alpha: alpha, loss: loss),
      fitIntercept: fitIntercept, batchSize: min(batchSize, max(1, features.rowCount)), averages: averages,
      tolerance: tolerance, maximumEpochs: maxIterations)
  }
}
