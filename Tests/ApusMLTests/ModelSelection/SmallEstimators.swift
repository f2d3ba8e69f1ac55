import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Synchronization

/// Predicts the class whose mean is nearest, means being drawn towards the mean of all rows; small enough to
/// be checked by hand, with a way to fail.
struct ShrunkenCentroid: Estimator {
  static let name = "shrunken-centroid"
  static let summary = "Nearest centroid with shrinkage."
  static let task = LearningTask.classification
  static let hyperparameters = [
    Hyperparameter<Self>("shrinkage", \Self.shrinkage, in: .between(0, 1), "How far means are drawn in."),
    Hyperparameter<Self>("jitter", \Self.jitter, in: .atLeast(0), "Random noise on the means."),
    Hyperparameter<Self>("failsAbove", \Self.failsAbove, "Fails when the first row's first cell is larger."),
    Hyperparameter<Self>("iterations", \Self.iterations, in: .atLeast(1), "Fewer than 10 do not converge."),
  ]
  var shrinkage = 0.0
  var jitter = 0.0
  var failsAbove: Double?
  var iterations = 10

  func fit(_ data: Dataset, _ context: FitContext) throws -> CentroidModel {
    try validate()
    let input = try ClassificationInput(data, estimator: Self.name)
    if let failsAbove, data.features[0, 0] > failsAbove {
      throw ApusError(.numerical, "the first cell is above \(failsAbove)")
    }
    let p = data.featureCount
    var sums = [[Double]](repeating: [Double](repeating: 0, count: p), count: input.labels.count)
    var counts = [Double](repeating: 0, count: input.labels.count)
    var overall = [Double](repeating: 0, count: p)
    for row in 0..<data.rowCount {
      counts[Int(input.classes[row])] += 1
      for column in 0..<p {
        sums[Int(input.classes[row])][column] += data.features[row, column]
        overall[column] += data.features[row, column] / Double(data.rowCount)
      }
    }
    var random = context.seed.derived("jitter").randomSource()
    let centres = zip(sums, counts).map { sums, count in
      zip(sums, overall).map { (1 - shrinkage) * $0 / count + shrinkage * $1 + jitter * random.normal() }
    }
    return CentroidModel(
      classLabels: input.labels, centres: Matrix(centres),
      convergence: Convergence(iterations: iterations, converged: iterations >= 10, residual: 0))
  }
}

struct CentroidModel: ClassificationModel {
  var classLabels: [String]
  var centres: Matrix<Double>
  var convergence: Convergence?
  var featureCount: Int { centres.columnCount }

  func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    (0..<features.rowCount).map { row in
      var best = (class: 0, distance: Double.infinity)
      for index in 0..<centres.rowCount {
        var distance = 0.0
        for column in 0..<featureCount {
          let difference = features[row, column] - centres[index, column]
          distance += difference * difference
        }
        if distance < best.distance { best = (index, distance) }
      }
      return Int32(best.class)
    }
  }
}

/// Predicts the mean of the training targets times a factor; candidates that differ in the factor share the
/// mean, and how often that happened is counted.
struct ScaledMean: JointlyFittable {
  static let name = "scaled-mean"
  static let summary = "The mean of the target times a factor."
  static let task = LearningTask.regression
  static let hyperparameters = [
    Hyperparameter<Self>("factor", \Self.factor, "What the mean is multiplied by."),
    Hyperparameter<Self>("offset", \Self.offset, "Added to the mean."),
    Hyperparameter<Self>("refusesNegative", \Self.refusesNegative, "Fails for a negative factor."),
  ]
  /// The sizes of the groups that were fitted together.
  static let jointFits = Mutex<[Int]>([])

  var factor = 1.0
  var offset = 0.0
  var refusesNegative = false

  func fit(_ data: Dataset, _ context: FitContext) throws -> ConstantModel {
    try model(mean: mean(data), featureCount: data.featureCount)
  }

  var jointRepresentative: ScaledMean {
    var representative = self
    representative.factor = 1
    return representative
  }

  static func fitJointly(
    _ estimators: [ScaledMean], on data: Dataset, _ context: FitContext
  ) throws -> [Result<ConstantModel, any Error>] {
    jointFits.withLock { $0.append(estimators.count) }
    let mean = try estimators[0].mean(data)
    return estimators.map { estimator in
      Result { try estimator.model(mean: mean, featureCount: data.featureCount) }
    }
  }

  private func mean(_ data: Dataset) throws -> Double {
    let target = try data.regressionTarget(for: Self.name)
    return target.reduce(0, +) / Double(target.count)
  }

  private func model(mean: Double, featureCount: Int) throws -> ConstantModel {
    if refusesNegative, factor < 0 { throw ApusError(.numerical, "the factor \(factor) is negative") }
    return ConstantModel(value: mean * factor + offset, featureCount: featureCount)
  }
}

struct ConstantModel: RegressionModel {
  var value: Double
  var featureCount: Int

  func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    [Double](repeating: value, count: features.rowCount)
  }
}
