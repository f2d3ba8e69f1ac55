import ApusData
import ApusParallel

/// Linear regression with an L2 penalty: minimises `Σᵢ sᵢ·(yᵢ − w·xᵢ − b)² + α·‖w‖²` over the coefficients w
/// and the intercept b, which is not penalised; sᵢ are the weights of the rows. On request coefficients are at
/// least zero.
///
/// ```swift
/// let model = try Ridge(alpha: 0.5).fit(data)
/// let predictions = try model.predict(newFeatures)
/// ```
///
/// The solution is direct: normal equations and Cholesky, primal or dual by shape, with singular values where
/// those are too near to singular. O(n · p · min(n, p)). Nonnegative coefficients are found as in
/// ``LinearRegression``, from the normal equations with α on their diagonal.
public struct Ridge: Estimator {
  /// `ridge`.
  public static let name = "ridge"
  /// One line for listings.
  public static let summary = "Linear regression with an L2 penalty on the coefficients."
  /// Regression.
  public static let task = LearningTask.regression
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<Ridge>] = [
    Hyperparameter(
      "alpha", \.alpha, in: .atLeast(0), "Strength of the penalty; 0 is ordinary least squares."),
    Hyperparameter("fitIntercept", \.fitIntercept, "Whether to add an intercept, which is not penalised."),
    Hyperparameter("positive", \.positive, "Whether coefficients must be at least zero."),
  ]

  /// The strength of the penalty, at least 0.
  public var alpha: Double
  /// Whether to add an intercept, which is not penalised.
  public var fitIntercept: Bool
  /// Whether coefficients must be at least zero.
  public var positive: Bool

  /// Creates an estimator with scikit-learn's defaults.
  public init(alpha: Double = 1, fitIntercept: Bool = true, positive: Bool = false) {
    self.alpha = alpha
    self.fitIntercept = fitIntercept
    self.positive = positive
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(alpha: 1) }

  /// Learns from data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; `data` for a target that holds no numbers, features
  ///   that are missing or categorical, or weights that are all zero; `numerical`; `cancelled`.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LinearRegressionModel {
    try validate()
    return try solver(for: data, context.compute)(alpha)
  }

  /// The models of many penalties on one data set, to the bit those of a fit for each, for little more than
  /// the price of one: the sums over the rows are formed once.
  ///
  /// - Parameters:
  ///   - alphas: penalties of at least 0.
  ///   - data: the rows to learn from.
  ///   - context: threads and cancellation.
  /// - Throws: as ``fit(_:_:)`` does.
  public func fit(
    alphas: [Double], _ data: Dataset, _ context: FitContext = FitContext()
  ) throws -> [LinearRegressionModel] {
    for alpha in alphas { try Ridge(alpha: alpha).validate() }
    let solve = try solver(for: data, context.compute)
    return try context.compute.map(alphas.count) { index in
      try context.compute.cancellation.check()
      return try solve(alphas[index])
    }
  }

  /// Forms what the fits of all penalties share; what it returns makes the model of a penalty.
  ///
  /// - Throws: as ``fit(_:_:)`` does.
  func solver(
    for data: Dataset, _ compute: ComputeContext
  ) throws -> @Sendable (_ alpha: Double) throws -> LinearRegressionModel {
    if positive {
      let solver = try NonnegativeSolver(data, estimator: Self.name, fitIntercept: fitIntercept, compute)
      return { try solver.solve(alpha: $0) }
    }
    let solver = try RidgeSolver(data, estimator: Self.name, fitIntercept: fitIntercept, compute)
    return { LinearRegressionModel(try solver.solve(alpha: $0)) }
  }
}
