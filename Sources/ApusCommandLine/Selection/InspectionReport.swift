import Apus

/// What `apus inspect` has to say.
struct InspectionReport: Encodable {
  /// The scores of one class against all others.
  struct ClassCurves: Encodable {
    var label: String
    var roc: ROCCurve
    var precisionRecall: PrecisionRecallCurve
    /// Where rows have no weights.
    var calibration: CalibrationCurve?
  }

  /// How large errors are: predicted less true.
  struct Residuals: Encodable {
    var smallest: Double
    var lowerTwentieth: Double
    var median: Double
    var upperTwentieth: Double
    var largest: Double
  }

  /// What a feature is worth.
  struct Importance: Encodable {
    var feature: String
    /// The fall of the score when the feature is shuffled, its mean and deviation over the shuffles.
    var fall: Double?
    var deviation: Double?
    /// The share of a forest's decrease of impurity that splits of the feature bring.
    var impurityShare: Double?
  }

  var estimator: String
  var dataset: String
  var rows: Int
  var features: Int
  var metrics: [String: Double]
  var classes: ClassificationReport?
  var labels: [String]?
  /// Rows a true class, columns a predicted one.
  var confusion: [[Double]]?
  var curves: [ClassCurves]?
  var residuals: Residuals?
  /// The score of the trees of a forest on the rows that they have not seen, where the fit kept it.
  var outOfBagScore: Double?
  /// The metric whose fall is measured.
  var importanceMetric: String?
  /// The score before anything is shuffled.
  var baseline: Double?
  var importances: [Importance]

  private let table: String

  private enum CodingKeys: String, CodingKey {
    case estimator, dataset, rows, features, metrics, classes, labels, confusion, curves, residuals
    case outOfBagScore, importanceMetric, baseline, importances
  }

  /// Predicts the rows and compares.
  ///
  /// - Throws: ``ApusError`` when the model cannot take the rows.
  init(_ saved: SavedModel, _ name: String, _ data: Dataset, _ compute: ComputeContext) throws {
    estimator = saved.estimator.name
    dataset = name
    rows = data.rowCount
    features = data.featureCount
    metrics = try Measurement(saved.model, on: data, task: saved.task, compute).metrics
    let shares = saved.model.impurityShares
    importances = data.featureNames.enumerated().map { column, name in
      Importance(feature: name, impurityShare: shares?[column])
    }
    outOfBagScore = saved.model.outOfBagScore
    let evaluation = Evaluation(saved.model, on: data, compute)
    if saved.task == .classification {
      let confusion = try evaluation.confusion()
      classes = ClassificationReport(confusion)
      labels = confusion.labels
      let count = confusion.classCount
      self.confusion = (0..<count).map { truth in (0..<count).map { confusion[truth, $0] } }
      table = confusion.description
      if (saved.model as? any ProbabilityModel)?.givesProbabilities == true {
        curves = try Self.curves(evaluation)
      }
    } else {
      table = ""
      residuals = Residuals(
        zip(try evaluation.predictedValues(), try evaluation.trueValues()).map { $0 - $1 })
    }
  }

  private static func curves(_ evaluation: Evaluation) throws -> [ClassCurves] {
    let (probabilities, truth) = (try evaluation.probabilities(), try evaluation.trueClasses())
    let labels = try evaluation.labels()
    // Of two classes, one says all about the other.
    let shown = labels.count == 2 ? [1] : Array(labels.indices)
    return try shown.map { label in
      let isPositive = truth.map { Int($0) == label }
      let column = probabilities.column(label)
      return ClassCurves(
        label: labels[label],
        roc: try ROCCurve(isPositive: isPositive, scores: column, weights: evaluation.weights),
        precisionRecall: try PrecisionRecallCurve(
          isPositive: isPositive, scores: column, weights: evaluation.weights),
        calibration: evaluation.weights == nil
          ? try CalibrationCurve(isPositive: isPositive, probabilities: column) : nil)
    }
  }

  /// Takes what shuffling the features has shown.
  mutating func take(_ importance: PermutationImportance) {
    importanceMetric = importance.metric
    baseline = importance.baseline
    for (column, (fall, deviation)) in zip(importance.means, importance.standardDeviations).enumerated() {
      importances[column].fall = fall
      importances[column].deviation = deviation
    }
  }

  // MARK: For people

  func text(top: Int, width: Int?) -> String {
    var parts = ["\(estimator) on \(dataset), \(Quantities.count(rows)) rows × \(features) features\n"]
    let scores = metrics.sorted { $0.key < $1.key }.map { "  \($0.key) \(Quantities.score($0.value))\n" }
    parts.append(
      scores.joined() + (outOfBagScore.map { "  out of bag, as fitted: \(Quantities.score($0))\n" } ?? ""))
    if let classes { parts.append(classes.description + "\n") }
    if let labels {
      // A wider table than the screen says little.
      parts.append(
        labels.count <= top ? table + "\n" : "The confusion matrix of \(labels.count) classes is in --json.\n"
      )
    }
    if let curves { parts += curveTables(curves, top: top, width: width) }
    if let residuals { parts.append(residuals.text) }
    if importances.contains(where: { $0.fall != nil || $0.impurityShare != nil }) {
      parts.append(importanceTable(top: top, width: width))
    }
    return parts.joined(separator: "\n")
  }

  private func curveTables(_ curves: [ClassCurves], top: Int, width: Int?) -> [String] {
    var areas = TextTable(("Class", .left), ("Area under ROC", .right), ("Average precision", .right))
    for curve in curves.prefix(top) {
      areas.add(
        curve.label, Quantities.score(curve.roc.area),
        Quantities.score(curve.precisionRecall.averagePrecision))
    }
    let parts = [areas.text(width: width)]
    guard curves.count == 1, let calibration = curves[0].calibration else { return parts }
    var table = TextTable(("Rows", .right), ("Predicted \(curves[0].label)", .right), ("Observed", .right))
    for bin in calibration.counts.indices {
      table.add(
        Quantities.count(calibration.counts[bin]), Quantities.score(calibration.predicted[bin]),
        Quantities.score(calibration.observed[bin]))
    }
    return parts + [table.text(width: width)]
  }

  private func importanceTable(top: Int, width: Int?) -> String {
    var table = TextTable(
      ("Feature", .left), ("Fall of \(importanceMetric ?? "score") when shuffled", .right),
      ("Share of splits", .right))
    let ordered = importances.enumerated().sorted { left, right in
      func key(_ one: Importance) -> Double { one.fall ?? one.impurityShare ?? 0 }
      return (key(right.element), left.offset) < (key(left.element), right.offset)
    }
    for (_, one) in ordered.prefix(top) {
      table.add(
        one.feature,
        one.fall.map { Quantities.score($0, deviation: one.deviation ?? 0) } ?? "",
        one.impurityShare.map { Quantities.score($0) } ?? "")
    }
    let more = importances.count > top ? "… and \(importances.count - top) more (--top)\n" : ""
    return table.text(width: width) + more
  }
}

extension InspectionReport.Residuals {
  /// - Parameter residuals: one a row.
  fileprivate init(_ residuals: [Double]) {
    let sorted = residuals.sorted()
    func quantile(_ share: Double) -> Double {
      sorted.isEmpty ? .nan : sorted[Int((share * Double(sorted.count - 1)).rounded())]
    }
    self.init(
      smallest: quantile(0), lowerTwentieth: quantile(0.05), median: quantile(0.5),
      upperTwentieth: quantile(0.95), largest: quantile(1))
  }

  fileprivate var text: String {
    func score(_ value: Double) -> String { Quantities.score(value) }
    return
      "Errors (predicted − true): from \(score(smallest)) to \(score(largest)), nine tenths of them from "
      + "\(score(lowerTwentieth)) to \(score(upperTwentieth)), median \(score(median))\n"
  }
}

extension FittedModel {
  /// A forest's shares of the decrease of impurity.
  fileprivate var impurityShares: [Double]? {
    (self as? ForestClassifierModel)?.featureImportances
      ?? (self as? ForestRegressorModel)?.featureImportances
  }

  /// The out-of-bag score of a forest whose fit was asked for it.
  var outOfBagScore: Double? {
    (self as? ForestClassifierModel)?.outOfBag?.score ?? (self as? ForestRegressorModel)?.outOfBag?.score
  }
}
