import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Data that is finite but unlike what an algorithm was thought up for.
struct DegenerateData: Sendable, CustomTestStringConvertible {
  var name: String
  var rows: [[Double]]
  var labels: [String]
  var values: [Double]
  var weights: [Double]?
  /// Whether no estimator can learn from it.
  var isHopeless = false

  var testDescription: String { name }

  /// The data with the target that suits a task.
  func dataset(for task: LearningTask) throws -> Dataset {
    try Dataset(
      features: Matrix(rows), target: task == .regression ? .values(values) : .classes(labels),
      weights: weights)
  }

  private init(
    _ name: String, _ rows: [[Double]], labels: [String]? = nil, values: [Double]? = nil,
    weights: [Double]? = nil, isHopeless: Bool = false
  ) {
    self.name = name
    self.rows = rows
    self.labels = labels ?? rows.indices.map { ["a", "b", "c"][$0 % 3] }
    self.values = values ?? rows.indices.map { Double($0 % 7) - 2 }
    self.weights = weights
    self.isHopeless = isHopeless
  }

  private static func cloud(_ count: Int, _ width: Int, scale: Double = 1) -> [[Double]] {
    var random = Seed(17).randomSource()
    return (0..<count).map { _ in (0..<width).map { _ in scale * random.normal() } }
  }

  static let all: [DegenerateData] = [
    DegenerateData("more columns than rows", cloud(9, 25)),
    DegenerateData("collinear columns", cloud(40, 1).map { [$0[0], 2 * $0[0], 1 - $0[0], $0[0]] }),
    DegenerateData("constant columns", cloud(40, 3).map { _ in [3, 3, 3] }),
    DegenerateData("one varying column among constants", cloud(40, 3).map { [1e9, $0[1], -1e-9] }),
    DegenerateData("one row", [[1, 2, 3]]),
    DegenerateData("two rows", [[1, 2, 3], [3, 2, 1]]),
    DegenerateData("huge features", cloud(40, 3, scale: 1e200)),
    DegenerateData("large features", cloud(40, 3, scale: 1e60)),
    DegenerateData("tiny features", cloud(40, 3, scale: 1e-200)),
    DegenerateData("columns of many scales", cloud(40, 3).map { [1e-12 * $0[0], $0[1], 1e12 * $0[2]] }),
    DegenerateData("huge values", cloud(40, 3), values: (0..<40).map { 1e300 * Double($0 - 20) }),
    DegenerateData(
      "values at the end of what there is", cloud(40, 3),
      values: (0..<40).map { $0 % 2 == 0 ? 1.7e308 : -1.7e308 }),
    DegenerateData(
      "features at the end of what there is", cloud(40, 3).map { $0.map { $0 < 0 ? -1.5e308 : 1.5e308 } }),
    DegenerateData(
      "features that have lost their digits",
      cloud(40, 3).map { $0.map { ($0 * 9).rounded() * 2 * .leastNonzeroMagnitude } }),
    DegenerateData("tiny values", cloud(40, 3), values: (0..<40).map { 1e-300 * Double($0 - 20) }),
    DegenerateData("constant values", cloud(40, 3), values: [Double](repeating: 2.5, count: 40)),
    DegenerateData(
      "a class with one member", cloud(40, 3), labels: (0..<40).map { $0 == 5 ? "c" : $0 < 20 ? "a" : "b" }),
    DegenerateData("one class", cloud(40, 3), labels: [String](repeating: "a", count: 40)),
    DegenerateData(
      "equal rows of different classes", cloud(1, 3).flatMap { Array(repeating: $0, count: 40) }),
    DegenerateData("every row ten times", cloud(4, 3).flatMap { Array(repeating: $0, count: 10) }),
    DegenerateData("one row with weight", cloud(40, 3), weights: (0..<40).map { $0 == 7 ? 1 : 0 }),
    DegenerateData(
      "weights of many scales", cloud(40, 3), weights: (0..<40).map { [1e-12, 1, 1e12][$0 % 3] }),
    DegenerateData(
      "all weights zero", cloud(40, 3), weights: [Double](repeating: 0, count: 40), isHopeless: true),
  ]
}
