import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Logistic regression: a linear classifier that gives probabilities, for two classes or more (softmax).
///
/// Minimises scikit-learn's objective, `C·Σᵢ sᵢ·loss(xᵢ, yᵢ) + ½‖W‖²`, where the loss is minus the log of the
/// probability of the row's class and sᵢ its weight times its class's; intercepts are not penalised.
///
/// ```swift
/// let model = try LogisticRegression(c: 0.1).fit(data)
/// let probabilities = try model.predictProbabilities(newFeatures)
/// ```
///
/// Other penalties take the place of `½‖W‖²`: `ρ·‖W‖₁ + (1 − ρ)/2·‖W‖²` with ρ the ``l1Ratio``, or none, where
/// ``c`` is infinite. As in scikit-learn, the ratio alone says which; ``penalty`` names one whatever the ratio is.
///
/// The method is chosen by shape: Newton's for few parameters, else BFGS, which starts from a sample of the
/// rows and its curvature when there are many; with L1, Newton's method with coordinate descent inside. A fit whose ``LogisticRegressionModel/convergence`` says that it
/// did not converge still makes a model.
public struct LogisticRegression: Estimator {
  /// `logistic-regression`.
  public static let name = "logistic-regression"
  /// One line for listings.
  public static let summary = "Linear classification with probabilities, for two classes or more."
  /// Classification.
  public static let task = LearningTask.classification
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<LogisticRegression>] = [
    Hyperparameter(
      "c", \.c, alias: "C", in: .aboveOrInfinite(0),
      "Weight of the data against the penalty; inf for no penalty."),
    Hyperparameter("penalty", \.penalty, "The penalty on the coefficients; byRatio leaves it to l1Ratio."),
    Hyperparameter(
      "l1Ratio", \.l1Ratio, alias: "l1_ratio", in: .between(0, 1),
      "Share of L1 in the penalty, unless penalty names one; null: 0, or 0.5 for elasticnet."),
    Hyperparameter("fitIntercept", \.fitIntercept, "Whether to add intercepts, which are not penalised."),
    Hyperparameter(
      "classWeight", \.classWeight, "How much each class counts: the same, balanced, or as given."),
    Hyperparameter(
      "tolerance", \.tolerance, alias: "tol", in: .above(0),
      "The fit ends when no component of the gradient of the mean loss is larger."),
    Hyperparameter(
      "maxIterations", \.maxIterations, alias: "max_iter", in: .atLeast(1),
      "The largest number of iterations over all rows."),
  ]

  /// The inverse strength of the penalty, above 0; infinite for no penalty.
  public var c: Double
  /// The penalty on the coefficients.
  public var penalty: LogisticPenalty
  /// The share of L1 in the penalty, from 0 to 1, unless ``penalty`` names one; nil is 0, or ½ for
  /// ``LogisticPenalty/elasticnet``.
  public var l1Ratio: Double?
  /// Whether to add intercepts, which are not penalised.
  public var fitIntercept: Bool
  /// How much each class counts.
  public var classWeight: ClassWeight
  /// The largest component of the gradient of `F / (C·Σ sᵢ)` at which the fit ends, as scikit-learn counts it.
  public var tolerance: Double
  /// The largest number of iterations over all rows.
  public var maxIterations: Int

  /// Creates an estimator.
  ///
  /// The defaults are scikit-learn's but for `maxIterations`: 100 are too few for some data that were not
  /// scaled.
  public init(
    c: Double = 1, penalty: LogisticPenalty = .byRatio, l1Ratio: Double? = nil, fitIntercept: Bool = true,
    classWeight: ClassWeight = .uniform, tolerance: Double = 1e-4, maxIterations: Int = 1000
  ) {
    self.c = c
    self.penalty = penalty
    self.l1Ratio = l1Ratio
    self.fitIntercept = fitIntercept
    self.classWeight = classWeight
    self.tolerance = tolerance
    self.maxIterations = maxIterations
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(c: 1) }

  /// Learns from data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; `data` for a target that holds no classes or only one,
  ///   features that are missing or categorical, or weights that are all zero; `numerical`; `cancelled`.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LogisticRegressionModel {
    try validate()
    return try fit(LogisticProblem(data, self, context.compute))
  }

  /// Learns from data that others learn from as well.
  func fit(_ problem: LogisticProblem) throws -> LogisticRegressionModel {
    let l1Share = penalty.l1Share(ratio: l1Ratio)
    let strength = penalty == .none || c.isInfinite ? 0 : 1 / (c * problem.weightSum)
    let objective = problem.objective(penalty: (1 - l1Share) * strength)
    var parameters = [Double](repeating: 0, count: objective.parameterCount)
    let convergence =
      if l1Share * strength > 0 {
        try ProximalNewton(
          maximumIterations: maxIterations, tolerance: tolerance, l1: l1Share * strength
        ).minimize(objective, &parameters)
      } else {
        try LogisticSolver(maximumIterations: maxIterations, tolerance: tolerance)
          .minimize(objective, &parameters, from: problem.start)
      }
    guard convergence.residual.isFinite, parameters.allSatisfy(\.isFinite) else {
      throw ApusError(
        .numerical, "\(Self.name): the features are too large for the sums over them to be finite",
        hint: "put standard-scaler before it: standard-scaler+\(Self.name)")
    }
    return objective.model(
      parameters, labels: problem.input.labels, convergence, centersCoefficients: l1Share * strength == 0)
  }
}

extension LogisticObjective {
  /// The model of some parameters, in the user's coordinates.
  ///
  /// With several scores the same number may be added to all of them; intercepts, and with an L2 penalty or none
  /// coefficients, are made to sum to zero over the classes, as they do at the minimum.
  func model(
    _ parameters: [Double], labels: [String], _ convergence: Convergence, centersCoefficients: Bool
  ) -> LogisticRegressionModel {
    let (p, k) = (featureCount, scoreCount)
    var intercepts = offsets(parameters)
    if k > 1 {
      let mean = intercepts.reduce(0, +) / Double(k)
      for score in 0..<k { intercepts[score] -= mean }
    }
    let coefficients = Matrix(rowCount: k, columnCount: p) { coefficients in
      for feature in 0..<p {
        let row = parameters[feature * k..<(feature + 1) * k]
        let mean = k > 1 && centersCoefficients ? row.reduce(0, +) / Double(k) : 0
        for (score, value) in row.enumerated() { coefficients[score * p + feature] = value - mean }
      }
    }
    return LogisticRegressionModel(
      classLabels: labels, coefficients: coefficients, intercepts: intercepts, convergence: convergence)
  }
}
