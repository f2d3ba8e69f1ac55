import ApusData
import ApusParallel
import Synchronization

/// What a fit of trees comes down to, whichever estimator asks for it.
struct ForestPlan: Sendable {
  var treeCount: Int
  var maxDepth: Int?
  var minSamplesSplit: RowLimit
  var minSamplesLeaf: RowLimit
  var minWeightFractionLeaf: Double
  var maxFeatures: FeatureLimit
  var maxLeafNodes: Int?
  var minImpurityDecrease: Double
  var bootstrap: Bool
  var maxSamples: RowLimit?
  var splits: SplitSearch
  var maxBins: Int
  var hasRandomThresholds = false
  var keepsInnerValues = false

  /// The number of rows drawn for a tree, or all of them where each is taken once.
  func drawCount(rowCount: Int) -> Int {
    bootstrap ? (maxSamples?.rounded(rowCount: rowCount) ?? rowCount) : rowCount
  }

  /// The most codes of a column.
  var codeLimit: Int { splits == .histogram ? maxBins : 65_536 }
  /// The most codes of the columns that nodes of many rows look at instead; nil where all look at the same.
  ///
  /// Thresholds that are drawn at random cost the same whatever the number of codes.
  var coarseLimit: Int? { splits == .automatic && !hasRandomThresholds ? maxBins : nil }

  /// The limits of growth for data of a given shape, as scikit-learn reads them.
  func settings(rowCount: Int, featureCount: Int) -> GrowthSettings {
    // A leaf of all rows already rules out every split; larger numbers would overflow.
    let minLeafRows = min(minSamplesLeaf.roundedUp(rowCount: rowCount), rowCount)
    let minSplitRows = max(2, minSamplesSplit.roundedUp(rowCount: rowCount))
    return GrowthSettings(
      maxDepth: maxDepth ?? .max, minSplitRows: max(minSplitRows, 2 * minLeafRows), minLeafRows: minLeafRows,
      minLeafShare: minWeightFractionLeaf, featuresPerSplit: maxFeatures.resolved(featureCount: featureCount),
      maxLeafCount: maxLeafNodes, minImpurityDecrease: minImpurityDecrease,
      hasRandomThresholds: hasRandomThresholds, keepsInnerValues: keepsInnerValues)
  }

  /// How often each row counts in tree `index`: drawn with replacement, or once each.
  ///
  /// The draws depend on the fit's seed and the tree's number alone.
  func multiplicities(tree index: Int, seed: Seed, rowCount: Int) -> [Int32] {
    guard bootstrap else { return [Int32](repeating: 1, count: rowCount) }
    var random = Self.seed(ofTree: index, seed).derived("rows").randomSource()
    var counts = [Int32](repeating: 0, count: rowCount)
    counts.withUnsafeMutableBufferPointer { counts in
      for _ in 0..<drawCount(rowCount: rowCount) { counts[random.integer(below: rowCount)] &+= 1 }
    }
    return counts
  }

  static func seed(ofTree index: Int, _ seed: Seed) -> Seed { seed.derived("tree", index) }

  /// Grows all trees, each on one thread.
  ///
  /// - Parameter makeStatistics: makes the criterion that a thread uses, given room to work in.
  func grow<Statistics: NodeStatistics>(
    on data: BinnedFeatures, classCount: Int, layout: NodeLayout, _ context: FitContext,
    _ makeStatistics: @Sendable (SplitRoom) -> Statistics
  ) throws -> [GrownTree] {
    let settings = settings(rowCount: data.rowCount, featureCount: data.bins.count)
    let pool = Mutex<[TreeGrower<Statistics>]>([])
    context.compute.progress?.begin("trees", of: treeCount)
    return try context.compute.map(treeCount) { index in
      try context.compute.cancellation.check()
      let grower =
        pool.withLock { $0.popLast() }
        ?? TreeGrower(
          data: data, settings: settings, layout: layout,
          statistics: makeStatistics(
            SplitRoom(rowCount: data.rowCount, codeCount: data.maxCodeCount, classCount: classCount)))
      defer {
        pool.withLock { $0.append(grower) }
        context.compute.progress?.advance()
      }
      return grower.grow(
        seed: Self.seed(ofTree: index, context.seed),
        multiplicities: multiplicities(tree: index, seed: context.seed, rowCount: data.rowCount))
    }
  }
}
