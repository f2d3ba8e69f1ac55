import ApusData
import ApusParallel

/// The target of a classification as fits want it: classes that occur, numbered without gaps, and one weight
/// a row.
public struct ClassificationInput: Sendable {
  /// The class of each row, a position in ``labels``.
  public let classes: [Int32]
  /// The labels of the classes that occur in rows of positive weight, in the data set's order; `k` of them.
  public let labels: [String]
  /// The weight of each row: its own times its class's; nil where all are 1.
  public let weights: [Double]?
  /// The weight of each row, without its class's; nil where all are 1.
  private let rowWeights: [Double]?

  /// Reads the target of a data set.
  ///
  /// - Parameters:
  ///   - data: the rows to learn from.
  ///   - estimator: the estimator's name, for messages.
  ///   - classWeight: how much each class counts.
  ///   - balancesWeights: whether balanced classes have equal sums of weights, as in scikit-learn's linear
  ///     models, rather than count as if all rows weighed the same, as in its trees.
  /// - Throws: ``ApusError`` of kind `data` when the target holds no classes, only one class occurs, there
  ///   are no rows, or all weights are zero.
  public init(
    _ data: Dataset, estimator: String, classWeight: ClassWeight = .uniform, balancesWeights: Bool = false
  ) throws {
    guard case .classes(let indices, let allLabels) = data.target else {
      throw ApusError(
        .data, "\(estimator) needs classes to predict, but the target \(data.target.kindInWords)",
        hint: "read the target as classes, or choose a regressor")
    }
    try data.requireRowsWithWeight(for: estimator)
    var counts = [Int](repeating: 0, count: allLabels.count)
    var occurs = [Bool](repeating: false, count: allLabels.count)
    for (row, index) in indices.enumerated() {
      counts[Int(index)] += 1
      if data.weights.map({ $0[row] > 0 }) ?? true { occurs[Int(index)] = true }
    }
    if case .explicit(let weights) = classWeight,
      let unknown = weights.keys.sorted().first(where: { !allLabels.contains($0) })
    {
      throw ApusError(
        .data, "\(estimator): classWeight names the class '\(unknown)', which the target does not have",
        hint:
          "its classes are \(allLabels.prefix(20).joined(separator: ", "))\(allLabels.count > 20 ? ", …" : "")"
      )
    }
    let present = allLabels.indices.filter { occurs[$0] }
    guard present.count >= 2 else {
      throw ApusError(
        .data,
        "\(estimator) needs at least two classes, but all \(data.rowCount) rows are of class "
          + "'\(present.first.map { allLabels[$0] } ?? "")'",
        hint: "check the target column, or use fewer, stratified folds")
    }
    var compact = [Int32](repeating: 0, count: allLabels.count)
    for (position, label) in present.enumerated() { compact[label] = Int32(position) }
    classes = indices.map { compact[Int($0)] }
    labels = present.map { allLabels[$0] }
    rowWeights = data.weights
    if case .uniform = classWeight {
      weights = data.weights
    } else {
      let classes = self.classes
      var totals = present.map { Double(counts[$0]) }
      if balancesWeights, let weights = data.weights {
        totals = totals.map { _ in 0 }
        for (row, index) in classes.enumerated() { totals[Int(index)] += weights[row] }
      }
      let perClass = classWeight.weights(labels: labels, totals: totals)
      weights = classes.indices.map { perClass[Int(classes[$0])] * (data.weights?[$0] ?? 1) }
      guard weights!.contains(where: { $0 > 0 }) else {
        throw ApusError(.data, "\(estimator): the class weights leave every row with weight zero")
      }
    }
  }

  /// The weights of the rows where a class is told from the rest; nil where all are 1.
  ///
  /// As in scikit-learn, of more than two classes that class's weight alone counts: the rest's rows have their own.
  func weights(positive: Int32) -> [Double]? {
    guard labels.count > 2, let weights else { return weights }
    return classes.indices.map { classes[$0] == positive ? weights[$0] : rowWeights?[$0] ?? 1 }
  }
}

extension Dataset {
  /// The numbers to predict.
  ///
  /// - Throws: ``ApusError`` of kind `data` when the target holds no numbers, there are no rows, or all
  ///   weights are zero.
  public func regressionTarget(for estimator: String) throws -> [Double] {
    guard case .values(let values) = target else {
      throw ApusError(
        .data, "\(estimator) needs numbers to predict, but the target \(target.kindInWords)",
        hint: "read the target as numbers, or choose a classifier")
    }
    try requireRowsWithWeight(for: estimator)
    // Sums over the rows, and differences of any two, are finite below this.
    let limit = Double.greatestFiniteMagnitude / (4 * Double(rowCount))
    if let row = values.firstIndex(where: { abs($0) > limit }) {
      throw ApusError(
        .data,
        "\(estimator): the target of row \(row + 1) is \(values[row]), so large that sums over the rows do not fit a Double",
        hint: "give the target in larger units")
    }
    return values
  }
}

extension Target {
  fileprivate var kindInWords: String {
    switch self {
    case .none: "is missing"
    case .values: "holds numbers"
    case .classes: "holds classes"
    }
  }
}
