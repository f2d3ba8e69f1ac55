import Apus

/// How good a model is on some rows, and what predicting them cost.
struct Measurement {
  /// The metric that suits the task best.
  struct Main {
    var name: String
    var value: Double
  }

  /// Metrics by name; errors and inertia are positive here, less being better.
  let metrics: [String: Double]
  /// The first metric of the task.
  let main: Main?
  /// What predicting the rows cost.
  let cost: Cost

  /// Predicts the rows and compares.
  ///
  /// - Throws: ``ApusError`` when the rows cannot be predicted or have no target to compare with.
  init(_ model: any FittedModel, on data: Dataset, task: LearningTask, _ compute: ComputeContext) throws {
    let evaluation = Evaluation(model, on: data, compute)
    let chosen = Self.metrics(for: task, model)
    guard let first = chosen.first else {
      (metrics, main, cost) = ([:], nil, Cost(wall: 0, cpu: 0))
      return
    }
    // The metrics share the predictions, which are all that is timed.
    let (_, cost) = try Cost.measuring { try Self.predict(evaluation, task) }
    var metrics: [String: Double] = [:]
    for metric in chosen {
      let isNegated = metric.name.hasPrefix("neg_")
      let value = try metric.score(evaluation)
      metrics[isNegated ? String(metric.name.dropFirst(4)) : metric.name] = isNegated ? -value : value
    }
    self.metrics = metrics
    self.cost = cost
    let name = first.name.hasPrefix("neg_") ? String(first.name.dropFirst(4)) : first.name
    main = metrics[name].map { Main(name: name, value: $0) }
  }

  private static func predict(_ evaluation: Evaluation, _ task: LearningTask) throws {
    switch task {
    case .classification: _ = try evaluation.predictedClasses()
    case .regression: _ = try evaluation.predictedValues()
    case .clustering: _ = try evaluation.clusters()
    case .transformation: break
    }
  }

  private static func metrics(for task: LearningTask, _ model: any FittedModel) -> [Metric] {
    switch task {
    case .classification:
      let names =
        ["accuracy", "balanced_accuracy", "f1_macro"]
        + ((model as? any ProbabilityModel)?.givesProbabilities == true ? ["neg_log_loss"] : [])
      return names.compactMap { try? Metric.named($0) }
    case .regression:
      return ["r2", "neg_mean_squared_error", "neg_mean_absolute_error"].compactMap { try? Metric.named($0) }
    case .clustering: return [.negInertia]
    case .transformation: return []
    }
  }
}
