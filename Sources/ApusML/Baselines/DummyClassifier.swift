import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A classifier that does not look at the features: what every real one must beat.
public struct DummyClassifier: Estimator {
  /// What is predicted.
  public var strategy = DummyClassifierStrategy.prior
  /// The label that the strategy `constant` predicts; it must be among the training labels.
  public var constant: String?

  /// Creates a classifier that predicts the most frequent class.
  public init() {}

  /// `dummy-classifier`.
  public static let name = "dummy-classifier"
  /// What it does.
  public static let summary = "Predicts without looking at the features, as a baseline."
  /// Classification.
  public static let task = LearningTask.classification

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<DummyClassifier>] = [
    Hyperparameter("strategy", \.strategy, "What is predicted."),
    Hyperparameter("constant", \.constant, "The label that the strategy constant predicts."),
  ]

  /// Checks the hyperparameters and that the strategy `constant` has a label.
  public func validate() throws {
    try checkRanges()
    guard strategy == .constant, constant == nil else { return }
    throw ApusError(
      .invalidParameter, "\(Self.name): the strategy constant needs a label",
      hint: "set constant to one of the classes")
  }

  /// Measures the classes' shares of the weights.
  ///
  /// - Throws: ``ApusError`` of kind `data` for fewer than two classes, or where none of them is the constant.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> DummyClassifierModel {
    try validate()
    let input = try ClassificationInput(data, estimator: Self.name)
    let constant = self.constant.flatMap { input.labels.firstIndex(of: $0) }
    if strategy == .constant, constant == nil {
      let label = self.constant ?? ""
      throw ApusError(
        .data, "\(Self.name): the constant “\(label)” is none of the training labels",
        hint: "the labels are \(input.labels.prefix(5).joined(separator: ", "))")
    }
    var sums = [Double](repeating: 0, count: input.labels.count)
    for (row, label) in input.classes.enumerated() { sums[Int(label)] += input.weights?[row] ?? 1 }
    let total = sums.reduce(0, +)
    return DummyClassifierModel(
      featureCount: data.featureCount, classLabels: input.labels, shares: sums.map { $0 / total },
      strategy: strategy, constant: constant, seed: context.seed.derived("predictions"))
  }
}

/// What a ``DummyClassifier`` predicts.
public enum DummyClassifierStrategy: String, ParameterChoice {
  /// The most frequent class; as probabilities, the classes' shares.
  case prior
  /// The most frequent class, with certainty.
  case mostFrequent
  /// Classes at random in proportion to their shares.
  case stratified
  /// Classes at random, all equally often.
  case uniform
  /// A given class.
  case constant
}

/// What ``DummyClassifier`` learnt: the classes' shares.
public struct DummyClassifierModel: ProbabilityModel {
  /// The number of features, which are not looked at.
  public let featureCount: Int
  /// The labels of the classes, `k` of them.
  public let classLabels: [String]
  /// The classes' shares of the training weights.
  public let shares: [Double]
  /// What is predicted.
  public let strategy: DummyClassifierStrategy
  /// The position of the class that the strategy `constant` predicts.
  public let constant: Int?
  fileprivate let seed: Seed

  /// One class a row; random ones depend on the fit's seed and the row's position.
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    try checkFeatures(features)
    let frequent = Int32(shares.indices.max { (shares[$0], $1) < (shares[$1], $0) } ?? 0)
    return (0..<features.rowCount).map { row in
      switch strategy {
      case .prior, .mostFrequent: return frequent
      case .constant: return constant.map(Int32.init) ?? frequent
      case .stratified, .uniform:
        var random = seed.derived(UInt64(row)).randomSource()
        guard strategy == .stratified else { return Int32(random.integer(below: shares.count)) }
        var left = random.uniform()
        for (label, share) in shares.enumerated() {
          left -= share
          if left < 0 { return Int32(label) }
        }
        return frequent
      }
    }
  }

  /// The shares, equal parts, or certainty in what is predicted, `n × k`.
  public func predictProbabilities(
    _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    let classes = try predictClasses(features, compute)
    let k = classLabels.count
    return Matrix(rowCount: classes.count, columnCount: k) { target in
      for (row, chosen) in classes.enumerated() {
        for label in 0..<k {
          target[row * k + label] =
            switch strategy {
            case .prior: shares[label]
            case .uniform: 1 / Double(k)
            case .mostFrequent, .stratified, .constant: Int(chosen) == label ? 1 : 0
            }
        }
      }
    }
  }
}
