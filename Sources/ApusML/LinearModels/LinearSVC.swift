import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Linear support vector classification with the squared hinge loss, each class against the rest.
///
/// Minimises what scikit-learn's `LinearSVC` does, `½·(‖w‖² + b²) + C·Σᵢ sᵢ·max(0, 1 − yᵢ·(w·xᵢ + b))²` for
/// each class (for the second of two), with sᵢ the row's weight times its class's; of more than two classes the
/// weights of the rest do not count. The intercept is penalised like a coefficient.
///
/// ```swift
/// let model = try LinearSVC(c: 0.5).fit(data)
/// ```
///
/// Newton's method in the primal (Chapelle, 2007), O(n · p²) a step and about ten steps; BFGS beyond some
/// hundred features.
public struct LinearSVC: Estimator {
  /// `linear-svc`.
  public static let name = "linear-svc"
  /// One line for listings.
  public static let summary = "Linear support vector classification, each class against the rest."
  /// Classification.
  public static let task = LearningTask.classification
  /// Every hyperparameter.
  public static let hyperparameters: [Hyperparameter<LinearSVC>] = [
    Hyperparameter("c", \.c, alias: "C", in: .above(0), "Weight of the data against the penalty."),
    Hyperparameter(
      "fitIntercept", \.fitIntercept, "Whether to add intercepts, penalised as coefficients are."),
    Hyperparameter(
      "classWeight", \.classWeight, "How much each class counts: the same, balanced, or as given."),
    Hyperparameter(
      "tolerance", \.tolerance, alias: "tol", in: .above(0),
      "The fit ends when no component of the gradient of the mean loss is larger."),
    Hyperparameter(
      "maxIterations", \.maxIterations, alias: "max_iter", in: .atLeast(1),
      "The largest number of iterations."),
  ]

  /// The inverse strength of the penalty, above 0.
  public var c: Double
  /// Whether to add intercepts, penalised as coefficients are.
  public var fitIntercept: Bool
  /// How much each class counts.
  public var classWeight: ClassWeight
  /// The largest component of the gradient of the objective over `C·Σ sᵢ` at which the fit ends.
  public var tolerance: Double
  /// The largest number of iterations.
  public var maxIterations: Int

  /// Creates an estimator.
  public init(
    c: Double = 1, fitIntercept: Bool = true, classWeight: ClassWeight = .uniform, tolerance: Double = 1e-6,
    maxIterations: Int = 1000
  ) {
    self.c = c
    self.fitIntercept = fitIntercept
    self.classWeight = classWeight
    self.tolerance = tolerance
    self.maxIterations = maxIterations
  }

  /// An estimator with the default hyperparameters.
  public init() { self.init(c: 1) }

  /// Learns from data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`; `data` for a target that holds no classes or only one,
  ///   features that are missing or categorical, or weights that are all zero; `numerical`; `cancelled`.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> LinearClassifierModel {
    try validate()
    let input = try ClassificationInput(
      data, estimator: Self.name, classWeight: classWeight, balancesWeights: true)
    try data.requireFiniteNumbers(for: Self.name)
    let positives: [Int32] = input.labels.count == 2 ? [1] : Array(0..<Int32(input.labels.count))
    let compute = positives.count == 1 ? context.compute : context.compute.onOneThread
    context.compute.progress?.begin("classes", of: positives.count)
    let fits = try context.compute.map(positives.count) { index in
      defer { context.compute.progress?.advance() }
      try context.compute.cancellation.check()
      let weights = input.weights(positive: positives[index]) ?? [Double](repeating: 1, count: data.rowCount)
      let objective = SquaredHingeObjective(
        features: data.features, signs: input.classes.map { $0 == positives[index] ? 1 : -1 },
        weights: weights, penalty: 1 / (c * weights.reduce(0, +)), fitIntercept: fitIntercept,
        compute: compute)
      return try objective.minimize(tolerance: tolerance, maximumIterations: maxIterations)
    }
    guard fits.allSatisfy({ $0.convergence.residual.isFinite }) else {
      throw ApusError(
        .numerical, "\(Self.name): the features are too large for the sums over them to be finite",
        hint: "put standard-scaler before it: standard-scaler+\(Self.name)")
    }
    return LinearClassifierModel(labels: input.labels, fits: fits)
  }
}
