import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Synchronization

/// Predicts a fixed number, counts its fits by tag, and fails where it is told to.
struct CountedEstimator: Estimator {
  static let name = "counted-estimator"
  static let summary = "A fixed number."
  static let task = LearningTask.regression
  static let hyperparameters = [
    Hyperparameter<Self>("value", \Self.value, "What is predicted."),
    Hyperparameter<Self>("tag", \Self.tag, "Under which name fits are counted."),
    Hyperparameter<Self>("failsBelow", \Self.failsBelow, "Fails for smaller values."),
    Hyperparameter<Self>("milliseconds", \Self.milliseconds, "How long a fit takes."),
  ]

  private static let counts = Mutex<[String: Int]>([:])

  /// Starts to count under a tag that nothing else uses.
  static func newTag() -> String { "tag \(UInt64.random(in: 0...(.max)))" }

  /// The number of fits with a tag.
  static func fits(_ tag: String) -> Int { counts.withLock { $0[tag] ?? 0 } }

  var value = 0.0
  var tag = ""
  var failsBelow: Double?
  var milliseconds = 0

  func fit(_ data: Dataset, _ context: FitContext) throws -> FixedModel {
    try validate()
    Self.counts.withLock { $0[tag, default: 0] += 1 }
    if milliseconds > 0 {
      let end = ContinuousClock.now + .milliseconds(milliseconds)
      while ContinuousClock.now < end {}
    }
    if let failsBelow, value < failsBelow { throw ApusError(.numerical, "\(value) is below \(failsBelow)") }
    return FixedModel(value: value, featureCount: data.featureCount)
  }
}

struct FixedModel: RegressionModel {
  var value: Double
  var featureCount: Int

  func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    [Double](repeating: value, count: features.rowCount)
  }
}

extension Metric {
  /// A score that is one of the Doubles that are easily lost: by the predicted number NaN, both infinities,
  /// negative zero, the smallest number, a third.
  static let peculiar = Metric("peculiar", task: .regression, "Awkward numbers.") { evaluation in
    let numbers = [Double.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, 1.0 / 3]
    return numbers[Int(try evaluation.predictedValues()[0])]
  }
}

/// Rows for a regression; other seeds give other rows.
func rows(_ count: Int = 20, seed: UInt64 = 1) throws -> Dataset {
  var random = Seed(seed).randomSource()
  let features = Matrix((0..<count).map { _ in [random.uniform(), random.uniform()] })
  return try Dataset(features: features, target: .values((0..<count).map { _ in random.uniform() }))
}

/// A grid of counted estimators that predict 0, 1, 2, ….
func grid(_ count: Int, tag: String, failsBelow: Double? = nil, milliseconds: Int = 0) -> ParameterGrid<
  CountedEstimator
> {
  var estimator = CountedEstimator()
  estimator.tag = tag
  estimator.failsBelow = failsBelow
  estimator.milliseconds = milliseconds
  EstimatorRegistry.shared.register(CountedEstimator.self)
  return ParameterGrid(estimator).varying(\.value, (0..<count).map(Double.init))
}
