import ApusData
import ApusLinearAlgebra
import ApusParallel

/// What elastic-net fits of one data set share, whatever their penalties.
///
/// Sums are divided by the sum of the weights, so that penalties have scikit-learn's units.
struct ElasticNetProblem: Sendable {
  /// How coordinate descent sees the data.
  enum Form: Sendable {
    /// `XᵀWX` and `XᵀWy`: for `p ≤ n`.
    case gram(Matrix<Double>, products: [Double])
    /// The columns of the centred features, one a row, and the centred target: for `p > n`.
    case columns(Matrix<Double>, target: [Double])
  }

  let form: Form
  /// `yᵀWy` of the centred target.
  let targetSquares: Double
  private let intercept: @Sendable ([Double]) -> Double
  private let data: Dataset
  private let totalWeight: Double

  /// Forms what the fits share.
  ///
  /// - Throws: ``ApusError`` of kind `data`, `numerical` or `cancelled`.
  init(_ data: Dataset, estimator: String, fitIntercept: Bool, _ compute: ComputeContext) throws {
    let target = try data.regressionTarget(for: estimator)
    try data.requireNumericColumns(for: estimator)
    let total = data.weights?.reduce(0, +) ?? Double(data.rowCount)
    self.data = data
    totalWeight = total
    if data.featureCount <= data.rowCount {
      let moments = try CenteredMoments(
        features: data.features, target: target, weights: data.weights, centered: fitIntercept, compute)
      if !moments.areFinite { try refuse(data, estimator) }
      var gram = moments.gram
      gram.withUnsafeMutableElements { gram in
        for index in gram.indices { gram[index] /= total }
      }
      form = .gram(gram, products: moments.crossProducts.map { $0 / total })
      targetSquares = moments.targetSquares / total
      intercept = { fitIntercept ? moments.intercept($0) : 0 }
    } else {
      try data.requireFiniteNumbers(for: estimator)
      let rows = CenteredRows(data.features, target, data.weights, centered: fitIntercept)
      let root = total.squareRoot()
      var columns = rows.features.transposed()
      columns.withUnsafeMutableElements { columns in
        for index in columns.indices { columns[index] /= root }
      }
      let scaledTarget = rows.target.map { $0 / root }
      targetSquares = scaledTarget.reduce(0) { $0 + $1 * $1 }
      guard targetSquares.isFinite, columns.withUnsafeElements({ $0.allSatisfy { ($0 * $0).isFinite } })
      else { try refuse(data, estimator) }
      form = .columns(columns, target: scaledTarget)
      intercept = { rows.intercept($0) }
    }
  }

  /// Fits a penalty without a share of L1, whose minimum has a closed form.
  ///
  /// - Throws: ``ApusError`` of kind `numerical` or `cancelled`.
  func ridgeModel(_ estimator: ElasticNet, _ compute: ComputeContext) throws -> LinearRegressionModel {
    var ridge = Ridge(alpha: estimator.alpha * totalWeight, fitIntercept: estimator.fitIntercept)
    ridge.positive = estimator.positive
    return try ridge.solver(for: data, compute)(ridge.alpha)
  }

  /// Fits one penalty, starting where the descent stands.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func model(
    _ descent: inout CoordinateDescent, alpha: Double, _ estimator: ElasticNet,
    _ cancellation: Cancellation
  ) throws -> LinearRegressionModel {
    let convergence = try descent.run(
      CoordinateDescent.Penalty(
        l1: alpha * estimator.l1Ratio, l2: alpha * (1 - estimator.l1Ratio), positive: estimator.positive),
      tolerance: estimator.tolerance, maximumPasses: estimator.maxIterations, cancellation)
    return LinearRegressionModel(
      coefficients: descent.coefficients, intercept: intercept(descent.coefficients),
      convergence: convergence)
  }
}
