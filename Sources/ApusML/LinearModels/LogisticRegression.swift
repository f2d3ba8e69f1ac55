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
/// The method is chosen by shape: Newton's for few parameters, else BFGS, which starts from a sample of the
/// rows and its curvature when there are many. A fit whose ``LogisticRegressionModel/convergence`` says that it
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
    Hyperparameter("c", \.c, alias: "C", in: .above(0), "Weight of the data against the penalty."),
    Hyperparameter("penalty", \.penalty, "The penalty on the coefficients."),
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

  /// The inverse strength of the penalty, above 0.
  public var c: Double
  /// The penalty on the coefficients.
  public var penalty: LogisticPenalty
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
    c: Double = 1, penalty: LogisticPenalty = .l2, fitIntercept: Bool = true,
    classWeight: ClassWeight = .uniform, tolerance: Double = 1e-4, maxIterations: Int = 1000
  ) {
    self.c = c
    self.penalty = penalty
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
    let input = try ClassificationInput(
      data, estimator: Self.name, classWeight: classWeight, balancesWeights: true)
    try data.requireFiniteNumbers(for: Self.name)
    let scoreCount = input.labels.count == 2 ? 1 : input.labels.count
    let weightSum = input.weights?.reduce(0, +) ?? Double(data.rowCount)
    let objective = LogisticObjective(
      features: data.features, classes: input.classes, weights: input.weights, scoreCount: scoreCount,
      penalty: penalty == .none ? 0 : 1 / (c * weightSum), fitIntercept: fitIntercept,
      means: fitIntercept
        ? try data.features.weightedMeans(input.weights, context.compute)
        : [Double](repeating: 0, count: data.featureCount),
      weightSum: weightSum, compute: context.compute)
    var parameters = [Double](repeating: 0, count: objective.parameterCount)
    let solver = LogisticSolver(maximumIterations: maxIterations, tolerance: tolerance)
    let convergence = try solver.minimize(objective, &parameters)
    guard convergence.residual.isFinite, parameters.allSatisfy(\.isFinite) else {
      throw ApusError(
        .numerical, "\(Self.name): the features are too large for the sums over them to be finite",
        hint: "put standard-scaler before it: standard-scaler+\(Self.name)")
    }
    return objective.model(parameters, labels: input.labels, convergence)
  }
}

/// The penalty of ``LogisticRegression`` on its coefficients.
public enum LogisticPenalty: String, ParameterChoice, Sendable {
  /// Half the sum of their squares.
  case l2
  /// None; C has no effect then.
  case none

  /// Takes a word, or null for none.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .null: self = .none
    case .string(let word):
      guard let penalty = LogisticPenalty(rawValue: word.lowercased()) else { return nil }
      self = penalty
    default: return nil
    }
  }
}

extension LogisticObjective {
  /// The model of some parameters, in the user's coordinates.
  ///
  /// With several scores the same number may be added to all of them; intercepts and coefficients are made to
  /// sum to zero over the classes, as they do at the minimum.
  func model(
    _ parameters: [Double], labels: [String], _ convergence: Convergence
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
        let mean = k > 1 ? row.reduce(0, +) / Double(k) : 0
        for (score, value) in row.enumerated() { coefficients[score * p + feature] = value - mean }
      }
    }
    return LogisticRegressionModel(
      classLabels: labels, coefficients: coefficients, intercepts: intercepts, convergence: convergence)
  }
}
