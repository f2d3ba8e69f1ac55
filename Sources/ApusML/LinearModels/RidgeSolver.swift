import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Penalised least squares on one data set for any number of penalties: what does not depend on the penalty
/// is computed once.
///
/// A single fit goes the same way, so its bits are those of a fit among many. With `p ≤ n` the normal
/// equations `(XᵀWX + αI)·w = XᵀWy` are formed in one pass and solved by Cholesky; with `p > n` their dual,
/// `n × n`. Where these are too near to singular to keep nine digits, and for α = 0 with `p > n`, the singular
/// values of the centred features give the answer of smallest norm.
struct RidgeSolver: Sendable {
  /// Coefficients and intercept for one penalty.
  struct Solution: Sendable {
    let coefficients: [Double]
    let intercept: Double
  }

  private enum Form {
    case primal(CenteredMoments)
    case dual(CenteredRows, gram: Matrix<Double>)
  }

  private let form: Form
  private let features: Matrix<Double>
  private let target: [Double]
  private let weights: [Double]?
  private let fitIntercept: Bool

  /// A pivot below this fraction of its diagonal element leaves fewer than about nine of sixteen digits.
  private static let smallestPivot = 1e-9

  /// Computes what all penalties share.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a target or features that cannot be used, `cancelled`.
  init(_ data: Dataset, estimator: String, fitIntercept: Bool, _ compute: ComputeContext) throws {
    target = try data.regressionTarget(for: estimator)
    try data.requireNumericColumns(for: estimator)
    features = data.features
    weights = data.weights
    self.fitIntercept = fitIntercept
    if data.featureCount <= data.rowCount {
      let moments = try CenteredMoments(
        features: features, target: target, weights: weights, centered: fitIntercept, compute)
      if !moments.areFinite { try refuse(data, estimator) }
      form = .primal(moments)
    } else {
      try data.requireFiniteNumbers(for: estimator)
      let rows = CenteredRows(features, target, weights, centered: fitIntercept)
      let gram = try rows.features.outerGram(compute)
      if !gram.withUnsafeElements({ $0.allSatisfy(\.isFinite) }) { try refuse(data, estimator) }
      form = .dual(rows, gram: gram)
    }
  }

  /// The solution for a penalty α ≥ 0.
  ///
  /// - Throws: ``ApusError`` of kind `numerical` when the singular values do not converge, and where the solution is too
  ///   large for a Double.
  func solve(alpha: Double) throws -> Solution {
    let solution = try anySolution(alpha: alpha)
    guard solution.intercept.isFinite, solution.coefficients.allSatisfy(\.isFinite) else {
      throw ApusError(
        .numerical, "the coefficients are too large for a Double: the features are tiny beside the target",
        hint: "put standard-scaler before the estimator")
    }
    return solution
  }

  private func anySolution(alpha: Double) throws -> Solution {
    switch form {
    case .primal(let moments):
      guard let coefficients = solvePositive(moments.gram, moments.crossProducts, alpha) else {
        return try solveBySingularValues(alpha)
      }
      return Solution(
        coefficients: coefficients, intercept: fitIntercept ? moments.intercept(coefficients) : 0)
    case .dual(let rows, let gram):
      guard alpha > 0, let multipliers = solvePositive(gram, rows.target, alpha) else {
        return try solveBySingularValues(alpha)
      }
      let coefficients = try rows.features.transposedMultiplied(by: multipliers)
      return Solution(coefficients: coefficients, intercept: rows.intercept(coefficients))
    }
  }

  /// The solution of `(gram + αI)·x = right`, or nil where the matrix is too near to singular.
  private func solvePositive(_ gram: Matrix<Double>, _ right: [Double], _ alpha: Double) -> [Double]? {
    let size = gram.rowCount
    var factor = gram
    var solution = right
    let solved = factor.withUnsafeMutableElements { a in
      for index in 0..<size { a[index * size + index] += alpha }
      guard BLAS.choleskyFactor(n: size, a: a.baseAddress!, aStride: size) else { return false }
      for index in 0..<size {
        let pivot = a[index * size + index]
        guard pivot * pivot > Self.smallestPivot * (gram[index, index] + alpha) else { return false }
      }
      solution.withUnsafeMutableBufferPointer { b in
        BLAS.choleskySolve(n: size, factor: a.baseAddress!, stride: size, b: b.baseAddress!)
      }
      return true
    }
    return solved ? solution : nil
  }

  private func solveBySingularValues(_ alpha: Double) throws -> Solution {
    let rows: CenteredRows
    if case .dual(let kept, _) = form {
      rows = kept
    } else {
      rows = CenteredRows(features, target, weights, centered: fitIntercept)
    }
    let svd = try SingularValues(rows.features)
    let rank = svd.rank()
    var projections = try svd.left.transposedMultiplied(by: rows.target)
    for (index, value) in svd.values.enumerated() {
      // Not value / (value² + α): squares of tiny values vanish.
      projections[index] *= index < rank ? 1 / (value + alpha / value) : 0
    }
    let coefficients = try svd.right.transposedMultiplied(by: projections)
    return Solution(coefficients: coefficients, intercept: rows.intercept(coefficients))
  }
}

/// Features and target with their weighted means taken away, and each row times the root of its weight.
struct CenteredRows: Sendable {
  let features: Matrix<Double>
  let target: [Double]
  private let featureMeans: [Double]
  private let targetMean: Double

  init(_ features: Matrix<Double>, _ target: [Double], _ weights: [Double]?, centered: Bool) {
    let (n, p) = (features.rowCount, features.columnCount)
    let total = weights?.reduce(0, +) ?? Double(n)
    var means = [Double](repeating: 0, count: p)
    var targetMean = 0.0
    self.features = features.withUnsafeElements { x in
      if centered {
        // Differences from the first row, so that a constant column centres to exactly zero.
        for row in 0..<n {
          let share = (weights?[row] ?? 1) / total
          for column in 0..<p { means[column] += share * (x[row * p + column] - x[column]) }
          targetMean += share * (target[row] - target[0])
        }
        for column in 0..<p { means[column] += x[column] }
        targetMean += target[0]
      }
      return Matrix(rowCount: n, columnCount: p) { centred in
        for row in 0..<n {
          let root = weights?[row].squareRoot() ?? 1
          for column in 0..<p {
            centred[row * p + column] = root * (x[row * p + column] - means[column])
          }
        }
      }
    }
    self.target = target.indices.map { (weights?[$0].squareRoot() ?? 1) * (target[$0] - targetMean) }
    featureMeans = means
    self.targetMean = targetMean
  }

  /// The intercept that belongs to coefficients; zero where nothing was centred.
  func intercept(_ coefficients: [Double]) -> Double {
    zip(coefficients, featureMeans).reduce(targetMean) { $0 - $1.0 * $1.1 }
  }
}

/// Throws the reason why sums over a data set are not finite.
func refuse(_ data: Dataset, _ estimator: String) throws -> Never {
  try data.requireFiniteNumbers(for: estimator)
  throw ApusError(
    .numerical, "\(estimator): the squares of the features or the target are too large for a Double",
    hint: "put standard-scaler before it: standard-scaler+\(estimator)")
}
