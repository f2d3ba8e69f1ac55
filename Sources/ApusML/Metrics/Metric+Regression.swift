extension Metric {
  /// The coefficient of determination.
  public static let r2 = regression("r2", "Coefficient of determination: 1 is exact, 0 is the mean.") {
    try RegressionScores.r2(truth: $0, predicted: $1, weights: $2)
  }
  /// The share of the target's variance that the predictions explain.
  public static let explainedVariance = regression(
    "explained_variance", "Share of the target's variance that is explained; a constant error does not count."
  ) { try RegressionScores.explainedVariance(truth: $0, predicted: $1, weights: $2) }
  /// The negated mean squared error.
  public static let negMeanSquaredError = regression(
    "neg_mean_squared_error", "Mean of the squared errors, negated."
  ) { -(try RegressionScores.meanSquaredError(truth: $0, predicted: $1, weights: $2)) }
  /// The negated root mean squared error.
  public static let negRootMeanSquaredError = regression(
    "neg_root_mean_squared_error", "Root of the mean of the squared errors, negated."
  ) { -(try RegressionScores.rootMeanSquaredError(truth: $0, predicted: $1, weights: $2)) }
  /// The negated mean absolute error.
  public static let negMeanAbsoluteError = regression(
    "neg_mean_absolute_error", "Mean of the absolute errors, negated."
  ) { -(try RegressionScores.meanAbsoluteError(truth: $0, predicted: $1, weights: $2)) }
  /// The negated mean absolute percentage error.
  public static let negMeanAbsolutePercentageError = regression(
    "neg_mean_absolute_percentage_error", "Mean of the absolute errors relative to the truth, negated."
  ) { -(try RegressionScores.meanAbsolutePercentageError(truth: $0, predicted: $1, weights: $2)) }
  /// The negated mean squared logarithmic error.
  public static let negMeanSquaredLogError = regression(
    "neg_mean_squared_log_error", "Mean of the squared differences of log(1 + y), negated."
  ) { -(try RegressionScores.meanSquaredLogError(truth: $0, predicted: $1, weights: $2)) }
  /// The negated median of the absolute errors.
  public static let negMedianAbsoluteError = regression(
    "neg_median_absolute_error", "Median of the absolute errors, negated."
  ) { -(try RegressionScores.medianAbsoluteError(truth: $0, predicted: $1, weights: $2)) }
  /// The negated largest absolute error.
  public static let negMaxError = regression("neg_max_error", "Largest absolute error, negated.") {
    truth, predicted, _ in -(try RegressionScores.maxError(truth: truth, predicted: predicted))
  }

  static let regressionMetrics: [Metric] = [
    r2, explainedVariance, negMeanSquaredError, negRootMeanSquaredError, negMeanAbsoluteError,
    negMeanAbsolutePercentageError, negMeanSquaredLogError, negMedianAbsoluteError, negMaxError,
  ]

  private static func regression(
    _ name: String, _ summary: String,
    _ score: @escaping @Sendable ([Double], [Double], [Double]?) throws -> Double
  ) -> Metric {
    Metric(name, task: .regression, summary) {
      try score($0.trueValues(), $0.predictedValues(), $0.weights)
    }
  }
}
