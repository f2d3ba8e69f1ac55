import Apus

/// What `apus fit` has to say.
struct FitReport: Encodable {
  /// What the steps cost.
  struct Seconds: Encodable {
    var load: Cost
    var fit: Cost
    var predict: Cost?
  }

  /// What the process held in memory.
  struct Memory: Encodable {
    /// The most it held.
    var peakBytes = 0
    /// By how much fitting raised it at most.
    var fitGrowthBytes = 0
  }

  var estimator: String
  var parameters: [String: ParameterValue]
  var dataset: String
  var rows: Int
  var features: Int
  var testRows: Int?
  var seed: UInt64
  var threads: Int
  var seconds: Seconds
  var memory = Memory()
  var convergence: Convergence?
  /// The score of a forest's trees on the rows that they have not seen, where it was asked for.
  var outOfBagScore: Double?
  var metrics: [String: Double] = [:]
  var output: String?

  init(
    estimator: AnyEstimator, dataset: String, _ training: Dataset, seed: UInt64, threads: Int,
    model: any FittedModel,
    seconds: Seconds
  ) {
    self.estimator = estimator.name
    parameters = estimator.parameters
    self.dataset = dataset
    rows = training.rowCount
    features = training.featureCount
    self.seed = seed
    self.threads = threads
    self.seconds = seconds
    convergence = model.convergence
    outOfBagScore = model.outOfBagScore
  }

  /// The report for people.
  var text: String {
    var lines = ["\(estimator) on \(dataset), \(Quantities.count(rows)) rows × \(features) features"]
    var table = TextTable(("", .left), ("wall", .right), ("CPU", .right))
    let steps = [("  load", Optional(seconds.load)), ("  fit", seconds.fit), ("  predict", seconds.predict)]
    for case (let step, let cost?) in steps {
      table.add(step, Quantities.duration(cost.wall), Quantities.duration(cost.cpu))
    }
    lines.append(table.text().trimmingLastNewline)
    lines.append(
      "  memory  \(Quantities.bytes(memory.peakBytes)) at most, \(Quantities.bytes(memory.fitGrowthBytes)) "
        + "of it for the fit")
    if let convergence { lines.append("  \(ConvergenceNotes.sentence(convergence))") }
    if let outOfBagScore { lines.append("  out of bag: \(Quantities.score(outOfBagScore))") }
    if !metrics.isEmpty {
      let place = testRows.map { "on \(Quantities.count($0)) test rows" } ?? "on the rows it was fitted on"
      lines.append("  \(place):")
      for (name, value) in metrics.sorted(by: { $0.key < $1.key }) {
        lines.append("    \(name) \(Quantities.score(value))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension String {
  fileprivate var trimmingLastNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
