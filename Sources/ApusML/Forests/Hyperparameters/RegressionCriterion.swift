/// What a regression tree lowers with each split.
public enum RegressionCriterion: String, ParameterChoice {
  /// The squared error around a node's mean.
  case squaredError
  /// The absolute error around a node's median; leaves predict medians. Slower than the others.
  case absoluteError
  /// Half the Poisson deviance around a node's mean, for counts and other targets of at least 0.
  case poisson
}
