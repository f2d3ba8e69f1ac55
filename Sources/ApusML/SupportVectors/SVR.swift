import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A support vector regressor: the flattest function, seen through a kernel, that stays within ε of most rows.
///
/// ```swift
/// var estimator = SVR()
/// estimator.c = 100
/// let model = try estimator.fit(data)
/// ```
///
/// Features should have comparable scales; put a ``StandardScaler`` before it where they do not.
public struct SVR: Estimator {
  /// The price of each unit that a row lies outside the tube; a smaller one regularises more.
  public var c = 1.0
  /// Half the width of the tube, in units of the target.
  public var epsilon = 0.1
  /// The kernel.
  public var kernel = SupportVectorKernel.rbf
  /// The factor γ of the kernels `rbf`, `polynomial` and `sigmoid`.
  public var gamma = KernelGamma.scale
  /// The degree of the kernel `polynomial`.
  public var degree = 3
  /// The constant c₀ of the kernels `polynomial` and `sigmoid`.
  public var coef0 = 0.0
  /// The largest violation of the optimality conditions of a solution.
  public var tolerance = 1e-3
  /// The most steps; nil: 100 a row, and at least ten million.
  public var maxIterations: Int?
  /// The memory for rows of the kernel matrix, in megabytes.
  public var cacheSize = 200.0

  /// Creates a regressor with the defaults of scikit-learn.
  public init() {}

  /// `svr`.
  public static let name = "svr"
  /// What it does.
  public static let summary = "Support vector regressor with a kernel and an ε-insensitive loss."
  /// Regression.
  public static let task = LearningTask.regression

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<SVR>] = [
    Hyperparameter("c", \.c, alias: "C", in: .above(0), "The price of rows outside the tube."),
    Hyperparameter("epsilon", \.epsilon, in: .atLeast(0), "Half the width of the tube."),
    Hyperparameter("kernel", \.kernel, "The kernel."),
    Hyperparameter("gamma", \.gamma, in: .above(0), "The kernel's factor γ."),
    Hyperparameter("degree", \.degree, in: .between(0, 50), "The degree of the polynomial kernel."),
    Hyperparameter("coef0", \.coef0, "The constant of the polynomial and sigmoid kernels."),
    Hyperparameter(
      "tolerance", \.tolerance, alias: "tol", in: .above(0), "The largest violation of optimality."),
    Hyperparameter(
      "maxIterations", \.maxIterations, alias: "max_iter", in: .atLeast(1),
      "The most steps; null: 100 a row, at least ten million."),
    Hyperparameter("cacheSize", \.cacheSize, in: .above(0), "Megabytes for rows of the kernel matrix."),
  ]

  /// Finds the support vectors.
  ///
  /// - Throws: ``ApusError``: `data` for missing values, categories or a target without numbers; `numerical`
  ///   when kernel values overflow; `cancelled`.
  /// - Complexity: between O(n² · p) and O(n³ · p).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> SVRModel {
    try validate()
    return try fit(data, context, shared: nil)
  }

  /// Finds the support vectors, with what other fits have computed where there is such.
  func fit(_ data: Dataset, _ context: FitContext, shared: SharedKernel?) throws -> SVRModel {
    let target = try data.regressionTarget(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let function = KernelFunction(
      kernel, gamma: gamma, constant: coef0, degree: degree, features: data.features)
    try function.requirePrecision(data.features, estimator: Self.name)
    let rows = target.indices.filter { row in data.weights.map { $0[row] > 0 } ?? true }
    let bounds = rows.map { c * (data.weights?[$0] ?? 1) }
    let problem = SupportVectorProblem(
      signs: rows.map { _ in 1 } + rows.map { _ in -1 },
      values: rows.map { target[$0] - epsilon } + rows.map { target[$0] + epsilon },
      bounds: bounds + bounds, copies: 2, tolerance: tolerance,
      maxIterations: maxIterations ?? max(10_000_000, 100 * rows.count), estimator: Self.name)
    let cache = KernelRowCache(
      function, points: shared?.points ?? function.points(data.features), rows: rows,
      products: shared?.products, byteLimit: KernelRowCache.bytes(megabytes: cacheSize),
      memory: KernelRowMemory())
    let solution = try problem.solve(cache, context.compute.cancellation)
    let support = rows.indices.filter { solution.coefficients[$0] != 0 }
    return SVRModel(
      supportVectors: data.features.gatheringRows(support.map { rows[$0] }),
      supportRows: support.map { rows[$0] },
      coefficients: support.map { solution.coefficients[$0] }, biasOfKernel: solution.bias,
      convergence: solution.convergence, kernel: function)
  }
}
