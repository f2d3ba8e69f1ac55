import ApusLinearAlgebra
import ApusParallel

/// The support vectors that ``SVR`` found.
public struct SVRModel: RegressionModel {
  /// The support vectors, `s × p`.
  public let supportVectors: Matrix<Double>
  /// The rows of the training data that the support vectors were.
  public let supportRows: [Int]
  /// The coefficient of each support vector.
  public let coefficients: [Double]
  /// What is added to every prediction.
  public let bias: Double
  /// How the solver ended; the residual is the largest violation of optimality.
  public let convergence: Convergence?
  private let kernel: KernelFunction

  init(
    supportVectors: Matrix<Double>, supportRows: [Int], coefficients: [Double], biasOfKernel bias: Double,
    convergence: Convergence, kernel: KernelFunction
  ) {
    self.supportVectors = supportVectors
    self.supportRows = supportRows
    self.coefficients = coefficients
    self.bias = bias - Self.centringOfBias(kernel, supportVectors, coefficients)
    self.convergence = convergence
    self.kernel = kernel
  }

  /// The number of features, `p`.
  public var featureCount: Int { supportVectors.columnCount }

  /// The factor γ of the kernel.
  public var gamma: Double { kernel.gamma }

  /// Σ coefficient · k(support vector, row) + bias.
  ///
  /// - Complexity: O(n · s · p).
  public func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try checkFeatures(features)
    try features.requireFinite(for: SVR.name)
    let expansion = PairwiseExpansion(
      kernel: kernel, supportVectors: supportVectors, counts: [coefficients.count, 0],
      coefficients: Matrix(coefficients.map { [$0] }),
      biases: [bias + Self.centringOfBias(kernel, supportVectors, coefficients)])
    return try expansion.values(features, compute).elements
  }

  /// What the bias lacks because points were moved for the kernel.
  private static func centringOfBias(
    _ kernel: KernelFunction, _ vectors: Matrix<Double>, _ coefficients: [Double]
  ) -> Double {
    zip(kernel.centring(of: vectors) ?? [], coefficients).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
