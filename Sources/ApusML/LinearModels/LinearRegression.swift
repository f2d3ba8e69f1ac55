import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Ordinary least squares: minimises `Σᵢ sᵢ·(yᵢ − w·xᵢ − b)²`, on request with coefficients of at least zero.
///
/// ```swift
/// let model = try LinearRegression().fit(data)
/// ```
///
/// Where features are collinear, or outnumber the rows, the coefficients are those of smallest norm.
/// Nonnegative coefficients are found by the active-set method of Bro and de Jong (1997) on the normal
/// equations. O(n · p · min(n, p)).
public struct LinearRegression: Estimator {
  /// `linear-regression`.
  public static let name = "linear-regression"
  /// One line for listings.
  public static let summary = "Ordinary least squares, on request with coefficients of at least zero."
  /// Regression.
  public static let task = LearningTask.regression
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<LinearRegression>] = [
    Hyperparameter("fitIntercept", \.fitIntercept, "Whether to add an intercept."),
    Hyperparameter("positive", \.positive, "Whether coefficients must be at least zero."),
  ]

  /// Whether to add an intercept.
  public var fitIntercept: Bool
  /// Whether coefficients must be at least zero.
  public var positive: Bool

  /// Creates an estimator with scikit-learn's defaults.
  public init(fitIntercept: Bool = true, positive: Bool = false) {
    self.fitIntercept = fitIntercept
    self.positive = positive
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(fitIntercept: true) }

  /// Learns from data.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a target that holds no numbers, features that are missing or
  ///   categorical, or weights that are all zero; `numerical`; `cancelled`.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LinearRegressionModel {
    try validate()
    guard positive else {
      let solver = try RidgeSolver(data, estimator: Self.name, fitIntercept: fitIntercept, context.compute)
      return LinearRegressionModel(try solver.solve(alpha: 0))
    }
    let solver = try NonnegativeSolver(
      data, estimator: Self.name, fitIntercept: fitIntercept, context.compute)
    return try solver.solve(alpha: 0)
  }
}
