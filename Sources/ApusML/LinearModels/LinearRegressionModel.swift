import ApusLinearAlgebra
import ApusParallel
import CKernels

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
    let p = featureCount
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1 + (1 << 17) / max(1, p))
    var areFinite = true
    let predictions = try [Double](unsafeUninitializedCapacity: features.rowCount) { target, filled in
      // Blocks write disjoint rows.
      nonisolated(unsafe) let target = target
      let checks = try compute.map(blocks.count) { block in
        let rows = blocks[block]
        return features.withUnsafeElements { x in
          ckernels_linear_predictions(
            rows.count, p, x.baseAddress! + rows.lowerBound * p, coefficients, intercept,
            target.baseAddress! + rows.lowerBound) != 0
        }
      }
      areFinite = checks.allSatisfy { $0 }
      filled = features.rowCount
    }
    // A missing feature makes its row's prediction one that is not a number.
    if !areFinite { try features.requireFinite(for: "the model") }
    return predictions
  }
}

/// What ``Ridge`` learns.
public typealias RidgeModel = LinearRegressionModel
