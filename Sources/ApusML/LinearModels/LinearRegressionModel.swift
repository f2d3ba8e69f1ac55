import ApusLinearAlgebra
import ApusParallel

/// A fitted linear function: `w·x + b`. Every regressor of this folder makes one.
public struct LinearRegressionModel: RegressionModel, Equatable {
  /// The coefficients w, one a feature.
  public let coefficients: [Double]
  /// The intercept b; zero when none was fitted.
  public let intercept: Double
  /// How the fit ended, for iterative methods; nil for direct solutions.
  public let convergence: Convergence?

  init(coefficients: [Double], intercept: Double, convergence: Convergence? = nil) {
    self.coefficients = coefficients
    self.intercept = intercept
    self.convergence = convergence
  }

  init(_ solution: RidgeSolver.Solution) {
    self.init(coefficients: solution.coefficients, intercept: solution.intercept)
  }

  /// The number of features, `p`.
  public var featureCount: Int { coefficients.count }

  /// The predicted number of each row.
  ///
  /// - Throws: ``ApusError`` of kind `shape` for another number of features, `data` for a missing value.
  public func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try checkFeatures(features)
    return try linearPredictions(features, coefficients, intercept, compute)
  }
}

/// What ``Ridge`` learns.
public typealias RidgeModel = LinearRegressionModel
