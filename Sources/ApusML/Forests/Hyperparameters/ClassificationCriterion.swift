/// What a classification tree lowers with each split: a measure of how mixed a node's classes are.
public enum ClassificationCriterion: String, ParameterChoice {
  /// The Gini impurity `1 − Σ p²` (Breiman et al., 1984).
  case gini
  /// The entropy `−Σ p log₂ p`; the gain is Shannon's information gain.
  case entropy
  /// Another name of ``entropy``.
  case logLoss
}
