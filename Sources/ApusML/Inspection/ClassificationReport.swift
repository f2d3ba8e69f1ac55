import ApusParallel

/// Precision, recall and F1 of every class, and their means, as a table.
///
/// ```swift
/// let report = ClassificationReport(try Evaluation(model, on: test).confusion())
/// print(report)
/// ```
public struct ClassificationReport: Sendable, Hashable, Codable {
  /// The scores of a class, or their mean over the classes.
  public struct Row: Sendable, Hashable, Codable {
    /// The class's label, `macro avg` or `weighted avg`.
    public var name: String
    /// Of what was predicted as the class, the share that is.
    public var precision: Double
    /// Of what is the class, the share predicted so.
    public var recall: Double
    /// The harmonic mean of precision and recall.
    public var f1: Double
    /// The weight of the rows of the class; their count without weights.
    public var support: Double
  }

  /// A row for each class.
  public var classes: [Row]
  /// The share of rows predicted right.
  public var accuracy: Double
  /// The mean over the classes, all alike.
  public var macroAverage: Row
  /// The mean over the classes by their support.
  public var weightedAverage: Row

  /// Reads the scores off a confusion matrix; classes that do not occur count as 0 in the macro average.
  public init(_ confusion: ConfusionMatrix) {
    classes = confusion.labels.indices.map { index in
      let one = Averaging.binary(positive: index)
      return Row(
        name: confusion.labels[index], precision: confusion.precision(averaging: one),
        recall: confusion.recall(averaging: one), f1: confusion.f1(averaging: one),
        support: confusion.trueTotal(index))
    }
    accuracy = confusion.accuracy
    macroAverage = Self.mean(classes, "macro avg") { _ in 1 }
    weightedAverage = Self.mean(classes, "weighted avg") { $0.support }
  }

  private static func mean(_ rows: [Row], _ name: String, weight: (Row) -> Double) -> Row {
    let total = rows.reduce(0) { $0 + weight($1) }
    func mean(_ value: KeyPath<Row, Double>) -> Double {
      total == 0 ? 0 : rows.reduce(0) { $0 + weight($1) * $1[keyPath: value] } / total
    }
    return Row(
      name: name, precision: mean(\.precision), recall: mean(\.recall), f1: mean(\.f1),
      support: rows.reduce(0) { $0 + $1.support })
  }
}

extension ClassificationReport: CustomStringConvertible {
  /// The table, laid out as scikit-learn does.
  public var description: String {
    func support(_ count: Double) -> String { Int(exactly: count).map(String.init) ?? count.fixed(2) }
    func cells(_ row: Row) -> [String] {
      [row.name, row.precision.fixed(2), row.recall.fixed(2), row.f1.fixed(2), support(row.support)]
    }
    return alignedTable(
      [["", "precision", "recall", "f1-score", "support"]] + classes.map(cells)
        + [["accuracy", "", "", accuracy.fixed(2), support(macroAverage.support)]]
        + [cells(macroAverage), cells(weightedAverage)])
  }
}
