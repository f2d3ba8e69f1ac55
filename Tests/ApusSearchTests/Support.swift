import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Foundation
import Synchronization

/// Predicts the mean of the target times a factor, and counts its fits by tag; worse with fewer rounds.
struct CountedMean: Estimator {
  static let name = "counted-mean"
  static let summary = "The mean, times a factor."
  static let task = LearningTask.regression
  static let hyperparameters = [
    Hyperparameter<Self>("factor", \Self.factor, "What the mean is multiplied by."),
    Hyperparameter<Self>("rounds", \Self.rounds, in: .atLeast(1), "How often; more come nearer."),
    Hyperparameter<Self>("tag", \Self.tag, "Under which name fits are counted."),
    Hyperparameter<Self>("failsAbove", \Self.failsAbove, "Fails for larger factors."),
    Hyperparameter<Self>("milliseconds", \Self.milliseconds, "How long a fit takes."),
  ]

  private static let counts = Mutex<[String: [Int]]>([:])

  static func newTag() -> String { "tag \(UInt64.random(in: 0...(.max)))" }

  /// The rows of each fit with a tag.
  static func fits(_ tag: String) -> [Int] { counts.withLock { $0[tag] ?? [] } }

  var factor = 1.0
  var rounds = 1_000
  var tag = ""
  var failsAbove: Double?
  var milliseconds = 0.0

  func fit(_ data: Dataset, _ context: FitContext) throws -> CountedMeanModel {
    try validate()
    Self.counts.withLock { $0[tag, default: []].append(data.rowCount) }
    if milliseconds > 0 { usleep(UInt32(milliseconds * 1_000)) }
    if let failsAbove, factor > failsAbove { throw ApusError(.numerical, "\(factor) is above \(failsAbove)") }
    let target = try data.regressionTarget(for: Self.name)
    let mean = target.reduce(0, +) / Double(target.count)
    return CountedMeanModel(value: mean * (factor + 1 / Double(rounds)), featureCount: data.featureCount)
  }
}

struct CountedMeanModel: RegressionModel {
  var value: Double
  var featureCount: Int

  func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    [Double](repeating: value, count: features.rowCount)
  }
}

/// Rows whose target is about 3.
func rows(_ count: Int = 120) throws -> Dataset {
  EstimatorRegistry.shared.register(CountedMean.self)
  var random = Seed(3).randomSource()
  let features = Matrix((0..<count).map { _ in [random.uniform(), random.uniform()] })
  return try Dataset(
    features: features, target: .values((0..<count).map { _ in 3 + 0.3 * random.normal() }))
}

/// A space of factors around 1.
func factors(_ count: Int, tag: String = "", milliseconds: Double = 0) -> SearchSpace {
  var estimator = CountedMean()
  estimator.tag = tag
  estimator.milliseconds = milliseconds
  return SearchSpace(
    ParameterGrid(estimator).varying(
      \.factor, (0..<count).map { 0.5 + Double($0 * 7 % count) / Double(count) }))
}

/// The options of most tests.
let options = SearchOptions(metrics: [.negMeanSquaredError], refits: false, seed: Seed(11))

/// What results say, without the times.
func essence(_ results: SearchResults) -> [String] {
  results.candidates.map { candidate in
    "\(candidate.index) \(candidate.parameters.sorted { $0.key < $1.key }) "
      + "\(candidate.stage.map { "\($0)" } ?? "") \(candidate.scores.map { "\($0.test) \($0.rank)" })"
  }
}

/// A folder that is removed with everything in it.
final class ScratchFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("apus-search-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
