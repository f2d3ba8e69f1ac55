import ApusData
import ApusLinearAlgebra
import ApusParallel

/// What logistic regressions learn from, checked: the rows, and what does not depend on the penalty.
struct LogisticProblem: Sendable {
  let input: ClassificationInput
  /// The sum of the rows' weights.
  let weightSum: Double
  /// What is known at zero, where several fits begin.
  private(set) var start: LogisticStart?
  private let features: Matrix<Double>
  private let means: [Double]
  private let fitIntercept: Bool
  private let compute: ComputeContext

  /// - Throws: ``ApusError`` as ``LogisticRegression/fit(_:_:)`` does.
  init(_ data: Dataset, _ estimator: LogisticRegression, _ compute: ComputeContext) throws {
    let name = LogisticRegression.name
    input = try ClassificationInput(
      data, estimator: name, classWeight: estimator.classWeight, balancesWeights: true)
    try data.requireNumericColumns(for: name)
    let means = try data.features.weightedMeans(input.weights, compute)
    // A value that is not finite shows in its column's mean; finding its place takes another pass.
    if !means.allSatisfy(\.isFinite) { try refuse(data, name) }
    features = data.features
    self.means = estimator.fitIntercept ? means : [Double](repeating: 0, count: data.featureCount)
    weightSum = input.weights?.reduce(0, +) ?? Double(data.rowCount)
    fitIntercept = estimator.fitIntercept
    self.compute = compute
  }

  /// The function to minimise with an L2 penalty.
  func objective(penalty: Double) -> LogisticObjective {
    LogisticObjective(
      features: features, classes: input.classes, weights: input.weights,
      scoreCount: input.labels.count == 2 ? 1 : input.labels.count, penalty: penalty,
      fitIntercept: fitIntercept, means: means, weightSum: weightSum, compute: compute)
  }

  /// Finds out what several fits can begin with.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  mutating func prepare() throws {
    let objective = objective(penalty: 1)
    guard LogisticSolver.startsFromZero(objective) else { return }
    start = try LogisticStart(objective, [Double](repeating: 0, count: objective.parameterCount))
  }
}
