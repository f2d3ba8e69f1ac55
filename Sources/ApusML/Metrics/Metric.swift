import ApusData
import ApusParallel

/// A score of a model on a data set; greater is better, always.
///
/// Names are those of scikit-learn's scorers: an error such as the mean squared error enters negated, as
/// `neg_mean_squared_error`, so that searches can maximise whatever they are given. Weights of the data's rows
/// are used wherever the definition has a place for them.
///
/// ```swift
/// let score = try Metric.accuracy.score(model, on: test)
/// let metrics = try ["f1_macro", "neg_log_loss"].map(Metric.named)
/// ```
public struct Metric: Sendable {
  /// The name.
  public let name: String
  /// What is computed, in a sentence.
  public let summary: String
  /// The task whose models it scores.
  public let task: LearningTask
  private let needsTwoClasses: Bool
  private let compute: @Sendable (Evaluation) throws -> Double

  /// Defines a metric; register it with ``MetricRegistry`` before it is used by name or in other processes.
  ///
  /// - Parameters:
  ///   - name: the name, which must be unique.
  ///   - task: the task whose models it scores.
  ///   - summary: what is computed, in a sentence.
  ///   - needsTwoClasses: whether it is defined for two classes only; searches then refuse other data at once.
  ///   - compute: the score of a model on a data set; greater must be better.
  public init(
    _ name: String, task: LearningTask, _ summary: String, needsTwoClasses: Bool = false,
    compute: @escaping @Sendable (Evaluation) throws -> Double
  ) {
    self.name = name
    self.task = task
    self.summary = summary
    self.needsTwoClasses = needsTwoClasses
    self.compute = compute
  }

  /// The score of a model that is looked at through an evaluation, which shares predictions between metrics.
  ///
  /// - Throws: ``ApusError`` that begins with the metric's name.
  public func score(_ evaluation: Evaluation) throws -> Double {
    do {
      return try compute(evaluation)
    } catch var error as ApusError where error.kind != .cancelled {
      error.message = "\(name): \(error.message)"
      throw error
    }
  }

  /// The score of a model on a data set.
  ///
  /// - Throws: ``ApusError`` that begins with the metric's name.
  public func score(
    _ model: any FittedModel, on data: Dataset, _ compute: ComputeContext = .allCPUs
  ) throws -> Double {
    try score(Evaluation(model, on: data, compute))
  }

  /// Checks that the metric can score models of a task on a data set, before anything is fitted.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that says which metrics can.
  public func check(task: LearningTask, data: Dataset) throws {
    guard task == self.task else {
      let others = Metric.all.filter { $0.task == task }.map(\.name)
      throw ApusError(
        .invalidParameter, "the metric \(name) scores \(self.task), not \(task)",
        hint: others.isEmpty ? nil : "metrics for \(task): \(others.joined(separator: ", "))")
    }
    if needsTwoClasses, data.classLabels.count != 2 {
      let stem = "\(name)_"
      let others = Metric.all.map(\.name).filter { $0.hasPrefix(stem) }
      throw ApusError(
        .invalidParameter, "the metric \(name) is for two classes, but there are \(data.classLabels.count)",
        hint: others.isEmpty ? nil : "use \(others.joined(separator: ", "))")
    }
  }

  /// Every metric of Apus and of this program, sorted by name.
  public static var all: [Metric] { MetricRegistry.shared.all }

  /// The metric with a name, in scikit-learn's spelling or in camel case; `mse`, `rmse`, `mae`, `log_loss`
  /// and the like are taken for their negated forms.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that suggests the nearest name and lists all.
  public static func named(_ name: String) throws -> Metric { try MetricRegistry.shared.metric(named: name) }

  /// The metric that an estimator is scored by where none is asked for: accuracy, R² or negated inertia.
  ///
  /// - Throws: ``ApusError`` of kind `unsupported` for a transformation, which has no score.
  public static func `default`(for task: LearningTask) throws -> Metric {
    switch task {
    case .classification: .accuracy
    case .regression: .r2
    case .clustering: .negInertia
    case .transformation:
      throw ApusError(
        .unsupported, "an estimator that only transforms features has no score",
        hint: "put a classifier, a regressor or a clustering behind it")
    }
  }
}

extension Metric: Hashable {
  /// Metrics are known by their names.
  public static func == (left: Metric, right: Metric) -> Bool { left.name == right.name }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Metric: Codable {
  /// Writes the name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }

  /// Reads a name.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when there is no metric with that name.
  public init(from decoder: any Decoder) throws {
    self = try Metric.named(decoder.singleValueContainer().decode(String.self))
  }
}

extension Metric: CustomStringConvertible {
  /// The name.
  public var description: String { name }
}
