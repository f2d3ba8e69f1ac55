import ApusData
import ApusLinearAlgebra
import ApusParallel

/// The rows of a fit: those of positive weight, and where they stand in the data set.
struct ForestRows {
  let data: Dataset
  /// Positions in the whole data set; nil where no row was left out.
  let positions: [Int]?

  init(_ data: Dataset, weights: [Double]?) {
    guard let weights, weights.contains(0) else {
      (self.data, positions) = (data, nil)
      return
    }
    let kept = weights.indices.filter { weights[$0] > 0 }
    (self.data, positions) = (data.gatheringRows(kept), kept)
  }

  func gather<Element>(_ elements: [Element]) -> [Element] {
    positions.map { $0.map { elements[$0] } } ?? elements
  }

  /// A value for each row of the whole data set, `filler` for those left out.
  func scatter<Element>(_ elements: [Element], count: Int, filler: Element) -> [Element] {
    guard let positions else { return elements }
    var all = [Element](repeating: filler, count: count)
    for (element, position) in zip(elements, positions) { all[position] = element }
    return all
  }
}

extension ForestPlan {
  /// Grows a forest of classification trees.
  func fitClassifier(
    _ data: Dataset, criterion: ClassificationCriterion, classWeight: ForestClassWeight, outOfBagScore: Bool,
    estimator: String, _ context: FitContext
  ) throws -> ForestClassifierModel {
    let input = try ClassificationInput(data, estimator: estimator, classWeight: classWeight.wholeData)
    let rows = ForestRows(data, weights: input.weights)
    let drawCount = try checkedDrawCount(rows.data, estimator)
    let weights = input.weights.map(rows.gather)
    let classCount = input.labels.count
    let target = ClassTarget(
      classes: rows.gather(input.classes), classCount: classCount, weights: weights,
      isBalancedPerTree: classWeight == .balancedSubsample, drawCount: drawCount)
    let layout = try NodeLayout(
      leafCount: min(rows.data.rowCount, drawCount), featureCount: data.featureCount,
      valueCount: 2 * rows.data.rowCount + classCount)
    let features = try BinnedFeatures(
      rows.data, weights: weights, codeLimit: codeLimit, coarseLimit: coarseLimit, context.compute)
    let grown =
      if criterion == .gini, target.hasWholeCounts(drawCount: drawCount) {
        try grow(on: features, classCount: classCount, layout: layout, context) {
          ClassCounts(target, room: $0)
        }
      } else {
        try grow(on: features, classCount: classCount, layout: layout, context) {
          WeightedClasses(target, criterion: criterion, room: $0)
        }
      }
    let forest = try CompactForest(
      layout: layout, valueWidth: classCount, hasClasses: true, bins: features.bins, grown: grown,
      context.compute)
    var model = ForestClassifierModel(classLabels: input.labels, forest: forest)
    if outOfBagScore {
      let sums = try outOfBagSums(forest, rows, context)
      model.outOfBag = OutOfBagClasses(
        sums: sums, rows: rows, rowCount: data.rowCount, classes: input.classes, weights: data.weights)
    }
    return model
  }

  /// Grows a forest of regression trees.
  func fitRegressor(
    _ data: Dataset, criterion: RegressionCriterion, outOfBagScore: Bool, estimator: String,
    _ context: FitContext
  ) throws -> ForestRegressorModel {
    let values = try data.regressionTarget(for: estimator)
    if criterion == .poisson { try Self.checkPoisson(values, data.weights, estimator) }
    let rows = ForestRows(data, weights: data.weights)
    let drawCount = try checkedDrawCount(rows.data, estimator)
    let target = NumberTarget(
      values: rows.gather(values), weights: rows.data.weights, isCentred: criterion != .poisson,
      drawCount: drawCount)
    let layout = try NodeLayout(
      leafCount: min(rows.data.rowCount, drawCount), featureCount: data.featureCount,
      valueCount: 2 * rows.data.rowCount)
    let features = try BinnedFeatures(
      rows.data, weights: rows.data.weights, codeLimit: codeLimit, coarseLimit: coarseLimit, context.compute)
    let grown =
      if criterion == .absoluteError {
        try grow(on: features, classCount: 1, layout: layout, context) { TargetMedians(target, room: $0) }
      } else {
        try grow(on: features, classCount: 1, layout: layout, context) {
          TargetSums(target, isPoisson: criterion == .poisson, room: $0)
        }
      }
    let forest = try CompactForest(
      layout: layout, valueWidth: 1, hasClasses: false, bins: features.bins, grown: grown,
      context.compute)
    var model = ForestRegressorModel(forest: forest)
    if outOfBagScore {
      let sums = try outOfBagSums(forest, rows, context)
      model.outOfBag = OutOfBagNumbers(
        sums: sums, rows: rows, rowCount: data.rowCount, values: values, weights: data.weights)
    }
    return model
  }

  private func checkedDrawCount(_ data: Dataset, _ estimator: String) throws -> Int {
    let count = drawCount(rowCount: data.rowCount)
    guard count <= data.rowCount else {
      throw ApusError(
        .invalidParameter,
        "\(estimator): maxSamples is \(count), but there are only \(data.rowCount) rows to draw from",
        hint: "give a share of the rows, such as 0.8")
    }
    guard data.rowCount < 1 << 31 else {
      throw ApusError(.unsupported, "\(estimator) takes fewer than 2^31 rows, but was given \(data.rowCount)")
    }
    return count
  }

  private static func checkPoisson(_ values: [Double], _ weights: [Double]?, _ estimator: String) throws {
    if let row = values.firstIndex(where: { $0 < 0 }) {
      throw ApusError(
        .data,
        "\(estimator): the criterion poisson needs targets of at least 0, but row \(row + 1) has \(values[row])",
        hint: "use the criterion squaredError")
    }
    let hasPositive = values.indices.contains { values[$0] > 0 && (weights?[$0] ?? 1) > 0 }
    guard hasPositive else {
      throw ApusError(.data, "\(estimator): the criterion poisson needs a target above 0")
    }
  }

  /// The sums of the leaf values of each row over the trees whose sample it is not in, and how many those are.
  private func outOfBagSums(
    _ forest: CompactForest, _ rows: ForestRows, _ context: FitContext
  ) throws -> OutOfBagSums {
    let n = rows.data.rowCount
    let inBag = try context.compute.map(treeCount) { tree in
      multiplicities(tree: tree, seed: context.seed, rowCount: n).map { $0 > 0 ? UInt8(1) : 0 }
    }
    var counts = [Int](repeating: 0, count: n)
    for tree in inBag {
      for row in 0..<n where tree[row] == 0 { counts[row] += 1 }
    }
    let totals = try forest.totals(
      rows.data.features, treeCounts: [treeCount], skipping: inBag, context.compute)
    return OutOfBagSums(totals: totals[0], treeCounts: counts)
  }
}
