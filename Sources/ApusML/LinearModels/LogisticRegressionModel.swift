import ApusLinearAlgebra
import ApusParallel
import CKernels

/// What ``LogisticRegression`` learns: for each class a linear function whose softmax is its probability.
public struct LogisticRegressionModel: ProbabilityModel, Equatable {
  /// The labels of the classes, `k` of them.
  public let classLabels: [String]
  /// The coefficients, `k × p`; with two classes `1 × p`, of the log-odds of the second class.
  public let coefficients: Matrix<Double>
  /// The intercepts, `k` of them, or one with two classes; zeros when none were fitted.
  public let intercepts: [Double]
  /// The iterations of the fit, and the largest component of the gradient of the mean loss with its penalty.
  public let convergence: Convergence?

  /// The number of features, `p`.
  public var featureCount: Int { coefficients.columnCount }

  /// The score of each row for each class, `n × k`; with two classes `n × 1`, the log-odds of the second.
  ///
  /// - Throws: ``ApusError`` of kind `shape` for another number of features, `data` for a missing value.
  public func scores(
    _ features: Matrix<Double>, _ compute: ComputeContext = .allCPUs
  ) throws -> Matrix<Double> {
    try checkFeatures(features)
    return try linearScores(features, coefficients, intercepts, compute)
  }

  /// The class of the highest score; the first of those where several are equal.
  ///
  /// - Throws: as ``scores(_:_:)`` does.
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    highestScores(try scores(features, compute))
  }

  /// The probability of each class, `n × k`; with two classes `n × 2`.
  ///
  /// - Throws: as ``scores(_:_:)`` does.
  public func predictProbabilities(
    _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    var scores = try self.scores(features, compute)
    let (n, k) = (features.rowCount, intercepts.count)
    scores.withUnsafeMutableElements { scores in
      if k == 1 {
        ckernels_sigmoid(n, scores.baseAddress!, 0)
      } else {
        ckernels_softmax(n, k, scores.baseAddress!, [Double](repeating: 0, count: k))
      }
    }
    guard k == 1 else { return scores }
    return scores.withUnsafeElements { second in
      Matrix(rowCount: n, columnCount: 2) { both in
        for row in 0..<n {
          both[2 * row] = 1 - second[row]
          both[2 * row + 1] = second[row]
        }
      }
    }
  }
}
