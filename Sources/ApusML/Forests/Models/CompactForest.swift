import ApusLinearAlgebra
import ApusParallel

/// The trees of a fitted forest, and how features become the codes that they compare.
///
/// A node takes eight bytes and a pure leaf nothing else, about a tenth of what pointers and doubles take.
struct CompactForest: Sendable, Equatable, Codable {
  let layout: NodeLayout
  /// How many numbers the value of a leaf has: the number of classes, or 1 for regression.
  let valueWidth: Int
  /// Whether a value below ``valueWidth`` stands for a class of its own.
  let hasClasses: Bool
  let tables: [CodeTable]
  var trees: [CompactTree]

  var featureCount: Int { tables.count }

  /// Puts together trees that were grown on the same data.
  init(
    layout: NodeLayout, valueWidth: Int, hasClasses: Bool, bins: [ColumnBins], grown: [GrownTree],
    _ compute: ComputeContext
  ) throws {
    self.layout = layout
    self.valueWidth = valueWidth
    self.hasClasses = hasClasses
    var tables = bins.map(CodeTable.init)
    var trees = grown.map(\.tree)
    if grown.contains(where: { !$0.thresholds.isEmpty }) {
      try Self.codeThresholds(grown.map(\.thresholds), layout, &trees, &tables, compute)
    }
    self.tables = tables
    self.trees = trees
  }

  /// Reads a stored forest.
  ///
  /// - Throws: `DecodingError` when its nodes do not fit together.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    layout = try container.decode(NodeLayout.self, forKey: .layout)
    valueWidth = try container.decode(Int.self, forKey: .valueWidth)
    hasClasses = try container.decode(Bool.self, forKey: .hasClasses)
    tables = try container.decode([CodeTable].self, forKey: .tables)
    trees = try container.decode([CompactTree].self, forKey: .trees)
    guard isSound() else {
      throw DecodingError.dataCorruptedError(
        forKey: .trees, in: container, debugDescription: "the nodes of the trees do not fit together")
    }
  }

  /// The mean over the trees that have splits of each feature's share of the decrease of the impurity; they
  /// sum to 1, or are all 0 where no tree has a split.
  var featureImportances: [Double] {
    var sums = [Double](repeating: 0, count: featureCount)
    for tree in trees {
      for (feature, share) in tree.importances.elements.enumerated() { sums[feature] += share }
    }
    let total = sums.reduce(0, +)
    return total > 0 ? sums.map { $0 / total } : sums
  }

  /// The number of nodes of all trees, leaves included.
  var nodeCount: Int { trees.reduce(0) { $0 + $1.nodes.elements.count } }

  /// The sum over the trees of each row's leaf values, `n × valueWidth`, after each of some numbers of trees.
  ///
  /// Trees are added up in order, so that the sum over the first 50 of 200 is that of a forest of 50.
  ///
  /// - Parameters:
  ///   - treeCounts: ascending numbers of trees, each at most that of the forest.
  ///   - skipped: for each tree a byte a row, not 0 for rows to leave out; nil for none.
  func totals(
    _ features: Matrix<Double>, treeCounts: [Int], skipping skipped: [[UInt8]]? = nil,
    _ compute: ComputeContext
  ) throws -> [Matrix<Double>] {
    let largest = tables.map(\.largestCode).max() ?? 0
    if largest <= 255 { return try totals(UInt8.self, features, treeCounts, skipped, compute) }
    if largest <= 65_535 { return try totals(UInt16.self, features, treeCounts, skipped, compute) }
    return try totals(UInt32.self, features, treeCounts, skipped, compute)
  }

  private func totals<Code: ForestCode>(
    _ code: Code.Type, _ features: Matrix<Double>, _ treeCounts: [Int], _ skipped: [[UInt8]]?,
    _ compute: ComputeContext
  ) throws -> [Matrix<Double>] {
    let n = features.rowCount
    let rowBytes = 2 * featureCount * MemoryLayout<Code>.stride + 8 * (valueWidth + 1)
    // A block's codes and sums stay in the second-level cache while all trees pass over them.
    let blockSize = max(16, min(2048, (1 << 18) / rowBytes / 16 * 16))
    let blocks = try compute.map((n + blockSize - 1) / blockSize) { block in
      try compute.cancellation.check()
      let rows = block * blockSize..<min(n, (block + 1) * blockSize)
      var walk = ForestWalk<Code>(self, rowCount: rows.count)
      walk.encode(features.rows(rows))
      var totals: [[Double]] = []
      var tree = 0
      for count in treeCounts {
        while tree < count {
          walk.add(tree: tree, skipping: skipped?[tree], from: rows.lowerBound)
          tree += 1
        }
        totals.append(walk.totals)
      }
      return totals
    }
    return treeCounts.indices.map { stage in
      Matrix(rowCount: n, columnCount: valueWidth) { target in
        var place = target.baseAddress
        for block in blocks {
          place?.update(from: block[stage], count: block[stage].count)
          place? += block[stage].count
        }
      }
    }
  }
}

extension Array {
  /// The first position whose element fulfils a condition that holds for all after it too.
  fileprivate func partitionIndex(_ isInSecondPart: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isInSecondPart(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
