import ApusData
import ApusParallel

/// Linear regression with an L1 penalty, which sets coefficients to exactly zero: ``ElasticNet`` with nothing
/// but L1.
///
/// Minimises `Σᵢ sᵢ·(yᵢ − w·xᵢ − b)² / (2·Σ sᵢ) + α·‖w‖₁`.
///
/// ```swift
/// let model = try Lasso(alpha: 0.1).fit(data)
/// let chosen = model.coefficients.indices.filter { model.coefficients[$0] != 0 }
/// ```
public struct Lasso: Estimator {
  /// `lasso`.
  public static let name = "lasso"
  /// One line for listings.
  public static let summary = "Linear regression with an L1 penalty; some coefficients are exactly zero."
  /// Regression.
  public static let task = LearningTask.regression
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<Lasso>] = [
    Hyperparameter(
      "alpha", \.alpha, in: .atLeast(0), "Strength of the penalty; 0 is ordinary least squares."),
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
    alpha: Double = 1, fitIntercept: Bool = true, positive: Bool = false, tolerance: Double = 1e-4,
    maxIterations: Int = 1000
  ) {
    self.alpha = alpha
    self.fitIntercept = fitIntercept
    self.positive = positive
    self.tolerance = tolerance
    self.maxIterations = maxIterations
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(alpha: 1) }

  /// Learns from data.
  ///
  /// - Throws: as ``ElasticNet/fit(_:_:)`` does.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LinearRegressionModel {
    try validate()
    return try asElasticNet.fit(data, name: Self.name, context)
  }

  /// The models along a path of penalties, as ``ElasticNet/path(_:alphas:_:)`` makes them.
  ///
  /// - Throws: as ``ElasticNet/fit(_:_:)`` does.
  public func path(
    _ data: Dataset, alphas: [Double]? = nil, _ context: FitContext = FitContext()
  ) throws -> [(alpha: Double, model: LinearRegressionModel)] {
    for alpha in alphas ?? [alpha] {
      var estimator = self
      estimator.alpha = alpha
      try estimator.validate()
    }
    return try asElasticNet.path(data, alphas: alphas, name: Self.name, context)
  }

  /// The same estimator as a special case.
  var asElasticNet: ElasticNet {
    ElasticNet(
      alpha: alpha, l1Ratio: 1, fitIntercept: fitIntercept, positive: positive, tolerance: tolerance,
      maxIterations: maxIterations)
  }
}
