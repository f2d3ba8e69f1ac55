import ApusLinearAlgebra
import ApusParallel

/// A fitted linear classifier without probabilities: a score for each class, or one where there are two.
public struct LinearClassifierModel: DecisionModel, Equatable {
  /// The labels of the classes, `k` of them.
  public let classLabels: [String]
  /// The coefficients, `k × p`; with two classes `1 × p`, of the score that speaks for the second class.
  public let coefficients: Matrix<Double>
  /// The intercepts, `k` of them, or one with two classes; zeros when none were fitted.
  public let intercepts: [Double]
  /// How the fit ended; of the class that took longest where each class has a fit of its own. Nil where the fits
  /// had no tolerance.
  public let convergence: Convergence?

  /// The number of features, `p`.
  public var featureCount: Int { coefficients.columnCount }

  /// Puts together the fits of a classifier that sets each class against the rest.
  init(labels: [String], fits: [(coefficients: [Double], intercept: Double, convergence: Convergence?)]) {
    classLabels = labels
    coefficients = Matrix(fits.map(\.coefficients))
    intercepts = fits.map(\.intercept)
    let convergences = fits.compactMap(\.convergence)
    convergence =
      convergences.isEmpty
      ? nil
      : Convergence(
        iterations: convergences.map(\.iterations).max() ?? 0,
        converged: convergences.allSatisfy(\.converged), residual: convergences.map(\.residual).max() ?? 0)
  }

  /// The score of each row for each class, `n × k`; with two classes `n × 1`, positive for the second.
  ///
  /// - Throws: ``ApusError`` of kind `shape` for another number of features, `data` for a missing value.
  public func scores(
    _ features: Matrix<Double>, _ compute: ComputeContext = .allCPUs
  ) throws -> Matrix<Double> {
    try checkFeatures(features)
    return try linearScores(features, coefficients, intercepts, compute)
  }

  /// The one score that two classes have.
  public func secondClassScores(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try requireTwoClasses()
    return try scores(features, compute).column(0)
  }

  /// The class of the highest score; the first of those where several are equal.
  ///
  /// - Throws: as ``scores(_:_:)`` does.
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    highestScores(try scores(features, compute))
  }
}
