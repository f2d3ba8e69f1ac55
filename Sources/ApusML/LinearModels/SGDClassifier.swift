import ApusData
import ApusParallel

/// Linear classification by stochastic gradient descent, each class against the rest: for more rows than other
/// methods have the time for, or than fit into memory (features may be a mapped file).
///
/// Minimises `Σᵢ sᵢ·loss(xᵢ, yᵢ) / n + α·penalty(w)` as scikit-learn's `SGDClassifier` does, with sᵢ the row's weight
/// times its class's; of more than two classes the weights of the rest do not count. The steps depend on the scale of the
/// features: put a `standard-scaler` before it. The order of rows comes from the seed.
///
/// ```swift
/// let model = try SGDClassifier(loss: .logLoss, averages: true).fit(data)
/// ```
///
/// O(p) a row and class; classes are fitted side by side.
public struct SGDClassifier: StochasticEstimator {
  /// `sgd-classifier`.
  public static let name = "sgd-classifier"
  /// One line for listings.
  public static let summary = "Linear classification by stochastic gradient descent, for very many rows."
  /// Classification.
  public static let task = LearningTask.classification
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<SGDClassifier>] =
    [Hyperparameter("loss", \.loss, "The loss: of support vectors (hinge) or of logistic regression.")]
    + descentParameters
    + [
      Hyperparameter(
        "classWeight", \.classWeight, "How much each class counts: the same, balanced, or as given.")
    ]

  /// The loss of a row.
  public var loss: SGDClassifierLoss
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
  /// How much each class counts.
  public var classWeight: ClassWeight

  /// Creates an estimator with scikit-learn's defaults.
  public init(
    loss: SGDClassifierLoss = .hinge, penalty: LinearPenalty = .l2, alpha: Double = 1e-4,
    l1Ratio: Double = 0.15, fitIntercept: Bool = true, learningRate: LearningRateSchedule = .optimal,
    eta0: Double = 0.01, batchSize: Int = 1, averages: Bool = false, tolerance: Double? = 1e-3,
    maxIterations: Int = 1000, classWeight: ClassWeight = .uniform
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
    self.classWeight = classWeight
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(loss: .hinge) }

  /// Learns from data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; `data` for a target that holds no classes or only one,
  ///   features that are missing or categorical, or weights that are all zero; `numerical` when the steps grow
  ///   without bound; `cancelled`.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LinearClassifierModel {
    try validate()
    let input = try ClassificationInput(data, estimator: Self.name, classWeight: classWeight)
    try data.requireFiniteNumbers(for: Self.name)
    let positives: [Int32] = input.labels.count == 2 ? [1] : Array(0..<Int32(input.labels.count))
    context.compute.progress?.begin("epochs", of: tolerance == nil ? positives.count * maxIterations : nil)
    let fits = try context.compute.map(positives.count) { index in
      let descent = self.descent(
        features: data.features, target: input.classes.map { $0 == positives[index] ? 1 : -1 },
        weights: input.weights(positive: positives[index]), loss: loss.loss)
      return try descent.descend(
        seed: context.seed.derived("class", index), name: Self.name, context.compute)
    }
    return LinearClassifierModel(labels: input.labels, fits: fits)
  }
}

/// The losses of ``SGDClassifier``.
public enum SGDClassifierLoss: String, ParameterChoice, Sendable {
  /// A linear support vector machine's.
  case hinge
  /// Its square.
  case squaredHinge
  /// Logistic regression's.
  case logLoss

  var loss: StochasticLoss {
    switch self {
    case .hinge: .hinge
    case .squaredHinge: .squaredHinge
    case .logLoss: .logLoss
    }
  }
}
