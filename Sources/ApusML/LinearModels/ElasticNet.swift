import ApusData
import ApusParallel
import Foundation

/// Linear regression with a mixture of an L1 and an L2 penalty, which sets coefficients to exactly zero.
///
/// Minimises scikit-learn's objective, `Σᵢ sᵢ·(yᵢ − w·xᵢ − b)² / (2·Σ sᵢ) + α·(ρ·‖w‖₁ + (1 − ρ)/2·‖w‖²)` with
/// ρ the share of L1.
///
/// ```swift
/// let model = try ElasticNet(alpha: 0.1, l1Ratio: 0.7).fit(data)
/// let path = try ElasticNet().path(data)  // 100 penalties for little more than the price of one
/// ```
///
/// Cyclic coordinate descent (Friedman, Hastie and Tibshirani, 2010) that ends by its duality gap and leaves
/// out features that the gap proves to be zero (Fercoq, Gramfort and Salmon, 2015). With `p ≤ n` it works on
/// the normal equations and never looks at the rows again. Without a share of L1 it is a ridge regression with
/// penalty `α·Σ sᵢ`, which is solved as ``Ridge`` solves it.
public struct ElasticNet: Estimator {
  /// `elastic-net`.
  public static let name = "elastic-net"
  /// One line for listings.
  public static let summary =
    "Linear regression with L1 and L2 penalties; some coefficients are exactly zero."
  /// Regression.
  public static let task = LearningTask.regression
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<ElasticNet>] = [
    Hyperparameter(
      "alpha", \.alpha, in: .atLeast(0), "Strength of the penalty; 0 is ordinary least squares."),
    Hyperparameter(
      "l1Ratio", \.l1Ratio, alias: "l1_ratio", in: .between(0, 1), "Share of the L1 penalty."),
    Hyperparameter("fitIntercept", \.fitIntercept, "Whether to add an intercept, which is not penalised."),
    Hyperparameter("positive", \.positive, "Whether coefficients must be at least zero."),
    Hyperparameter(
      "tolerance", \.tolerance, alias: "tol", in: .above(0),
      "The fit ends when the duality gap is at most this share of the target's variation."),
    Hyperparameter(
      "maxIterations", \.maxIterations, alias: "max_iter", in: .atLeast(1),
      "The largest number of passes over the features."),
  ]

  /// The strength of the penalty, at least 0.
  public var alpha: Double
  /// The share of the L1 penalty, from 0 (a ridge regression) to 1 (the lasso).
  public var l1Ratio: Double
  /// Whether to add an intercept, which is not penalised.
  public var fitIntercept: Bool
  /// Whether coefficients must be at least zero.
  public var positive: Bool
  /// The duality gap at which the fit ends, as a share of the target's variation.
  public var tolerance: Double
  /// The largest number of passes over the features.
  public var maxIterations: Int

  /// Creates an estimator with scikit-learn's defaults.
  public init(
    alpha: Double = 1, l1Ratio: Double = 0.5, fitIntercept: Bool = true, positive: Bool = false,
    tolerance: Double = 1e-4, maxIterations: Int = 1000
  ) {
    self.alpha = alpha
    self.l1Ratio = l1Ratio
    self.fitIntercept = fitIntercept
    self.positive = positive
    self.tolerance = tolerance
    self.maxIterations = maxIterations
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(alpha: 1) }

  /// Learns from data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; `data` for a target that holds no numbers, features
  ///   that are missing or categorical, or weights that are all zero; `numerical`; `cancelled`.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LinearRegressionModel {
    try validate()
    return try fit(data, name: Self.name, context)
  }

  func fit(_ data: Dataset, name: String, _ context: FitContext) throws -> LinearRegressionModel {
    let problem = try ElasticNetProblem(
      data, estimator: name, fitIntercept: fitIntercept, context.compute)
    return try fit(problem, context)
  }

  /// Fits with what is shared between penalties at hand, starting from zero.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`; `numerical` where singular values do not converge.
  func fit(_ problem: ElasticNetProblem, _ context: FitContext) throws -> LinearRegressionModel {
    if alpha * l1Ratio == 0 { return try problem.ridgeModel(self, context.compute) }
    var descent = CoordinateDescent(problem)
    return try problem.model(&descent, alpha: alpha, self, context.compute.cancellation)
  }

  /// The models along a path of penalties, strongest first; each starts where the one before it ended.
  ///
  /// - Parameters:
  ///   - data: the rows to learn from.
  ///   - alphas: penalties of at least 0 in any order; unless given, 100 from the weakest that sets every
  ///     coefficient to zero, which needs a share of L1, down to a thousandth of it.
  ///   - context: threads and cancellation.
  /// - Returns: the penalties, from the strongest, and their models.
  /// - Throws: as ``fit(_:_:)`` does.
  public func path(
    _ data: Dataset, alphas: [Double]? = nil, _ context: FitContext = FitContext()
  ) throws -> [(alpha: Double, model: LinearRegressionModel)] {
    for alpha in alphas ?? [alpha] {
      var estimator = self
      estimator.alpha = alpha
      try estimator.validate()
    }
    return try path(data, alphas: alphas, name: Self.name, context)
  }

  /// The path of hyperparameters that have been looked at already.
  func path(
    _ data: Dataset, alphas: [Double]?, name: String, _ context: FitContext
  ) throws -> [(alpha: Double, model: LinearRegressionModel)] {
    let problem = try ElasticNetProblem(data, estimator: name, fitIntercept: fitIntercept, context.compute)
    var descent = CoordinateDescent(problem)
    guard alphas != nil || l1Ratio > 0 else {
      throw ApusError(
        .invalidParameter,
        "\(name): without a share of L1, no penalty is the first that sets coefficients to zero",
        hint: "give the penalties of the path, or an l1Ratio above 0")
    }
    let strongest = l1Ratio > 0 ? descent.strongestGradient(positive: positive) / l1Ratio : 0
    let chosen =
      alphas?.sorted(by: >) ?? (strongest > 0 ? decades(from: strongest, count: 100) : [alpha])
    return try chosen.map { alpha in
      var estimator = self
      estimator.alpha = alpha
      if alpha * l1Ratio == 0 { return (alpha, try problem.ridgeModel(estimator, context.compute)) }
      return (alpha, try problem.model(&descent, alpha: alpha, self, context.compute.cancellation))
    }
  }
}

/// Numbers from a first one down to a thousandth of it, in equal ratios.
private func decades(from first: Double, count: Int) -> [Double] {
  (0..<count).map { first * pow(10, -3 * Double($0) / Double(count - 1)) }
}
