import ApusParallel
import CKernels

/// Finds the split of a node: draws features at random and asks the criterion about each.
final class SplitFinder<Statistics: NodeStatistics> {
  let data: BinnedFeatures
  let settings: GrowthSettings
  let statistics: Statistics
  /// The least a split must leave on either side.
  var limits: forest_leaf_limits
  let columns: Room<ColumnAccess>
  /// The values of the columns' codes, where thresholds between them are drawn at random.
  private let values: [ColumnValues]
  private let codes: Room<UInt16>
  private let order: Room<Int32>
  private let draws: Room<Int32>

  /// Nodes of more rows choose their feature by coarse codes, where there are such: 256 ranges of a node of 1,024 rows
  /// hold four each. Measured on columns that spread over many orders of magnitude, whose forests are as good as with
  /// exact splits everywhere.
  private static var mostExactRows: Int { 1024 }

  init(data: BinnedFeatures, settings: GrowthSettings, statistics: Statistics) {
    self.data = data
    self.settings = settings
    self.statistics = statistics
    let values = settings.hasRandomThresholds ? data.bins.map(ColumnValues.init) : []
    self.values = values
    columns = Room(
      data.bins.indices.map { ColumnAccess(data, column: $0, values: values.isEmpty ? nil : values[$0]) })
    // Kernels load the codes of small nodes as one vector.
    codes = Room(repeating: 0, count: max(data.rowCount, 32))
    order = Room((0..<Int32(data.bins.count)).map { $0 })
    draws = Room(data.bins.count)
    limits = forest_leaf_limits(rows: Int32(settings.minLeafRows), weight: .leastNormalMagnitude)
  }

  /// The best split on features drawn without replacement, or nil when none is allowed.
  ///
  /// Features that do not vary in the node count as drawn, but at least one that does is looked at
  /// (as scikit-learn does). Of splits that gain the same, the one drawn first is taken.
  ///
  /// - Parameter constants: one bit a feature, set for those that do not vary in the node; completed here.
  func split(
    _ rows: UnsafePointer<UInt32>, count: Int, seed: Seed, constants: UnsafeMutablePointer<UInt64>
  ) -> NodeSplit? {
    var random = seed.randomSource()
    var best = NodeSplit()
    let featureCount = data.bins.count
    let order = order.base
    var drawn = 0
    var hasVarying = false
    var isCoarse = false
    while drawn < featureCount, drawn < settings.featuresPerSplit || !hasVarying {
      let chosen = drawn &+ random.integer(below: featureCount &- drawn)
      let feature = order[chosen]
      order[chosen] = order[drawn]
      order[drawn] = feature
      draws.base[drawn] = Int32(truncatingIfNeeded: chosen)
      drawn &+= 1
      let (word, bit) = (Int(feature) >> 6, UInt64(1) << UInt64(feature & 63))
      if constants[word] & bit != 0 { continue }
      if count > Self.mostExactRows, columns.base[Int(feature)].coarseBytes != nil {
        let (lowest, highest) = gatherCoarse(Int(feature), rows, count)
        // Values that vary within a range only are looked at one by one.
        if lowest != highest {
          hasVarying = true
          let before = best.decrease
          let isBestOfAll = offerCoarse(Int(feature), count, lowest, highest, &best)
          if best.decrease > before { isCoarse = true }
          if isBestOfAll { break }
          continue
        }
      }
      let (lowest, highest) = gather(Int(feature), rows, count)
      if lowest == highest {
        constants[word] |= bit
        continue
      }
      hasVarying = true
      let before = best.decrease
      let isBestOfAll = offer(Int(feature), rows, count, lowest, highest, &random, &best)
      if best.decrease > before { isCoarse = false }
      if isBestOfAll { break }
    }
    if isCoarse { refine(rows, count, &best) }
    // The order is put back, so that a node's draws do not depend on the nodes before it.
    while drawn > 0 {
      drawn &-= 1
      let chosen = Int(draws.base[drawn])
      (order[chosen], order[drawn]) = (order[drawn], order[chosen])
    }
    return best.decrease >= 0 ? best : nil
  }

  /// Copies the codes of a node's rows; returns the lowest and the highest.
  private func gather(_ feature: Int, _ rows: UnsafePointer<UInt32>, _ count: Int) -> (Int32, Int32) {
    let column = columns.base[feature]
    let range =
      if let bytes = column.bytes {
        forest_gather_codes_8(bytes, rows, Int64(count), codes.base)
      } else {
        forest_gather_codes_16(column.words!, rows, Int64(count), codes.base)
      }
    return (Int32(range >> 16), Int32(range & 0xFFFF))
  }

  /// As ``gather``, of the coarse codes.
  private func gatherCoarse(_ feature: Int, _ rows: UnsafePointer<UInt32>, _ count: Int) -> (Int32, Int32) {
    let range = forest_gather_codes_8(columns.base[feature].coarseBytes!, rows, Int64(count), codes.base)
    return (Int32(range >> 16), Int32(range & 0xFFFF))
  }

  /// As ``offer``, among the coarse codes.
  private func offerCoarse(
    _ feature: Int, _ count: Int, _ lowest: Int32, _ highest: Int32, _ best: inout NodeSplit
  ) -> Bool {
    let column = columns.base[feature]
    let split = statistics.bestSplit(
      codes: codes.base, count: count, lowest: lowest, highest: highest,
      missingCode: column.coarseMissingCode,
      limits: limits)
    guard split.decrease > best.decrease else { return false }
    if best.set != nil { best = NodeSplit() }
    best.feature = feature
    best.decrease = split.decrease
    best.lastLeft = column.lastCodes![Int(split.last_left)]
    best.missingLeft = split.missing_left < 0 ? nil : split.missing_left == 1
    return best.decrease >= statistics.greatestDecrease
  }

  /// Looks for the best split of the feature that was chosen among all of its codes.
  private func refine(_ rows: UnsafePointer<UInt32>, _ count: Int, _ best: inout NodeSplit) {
    let (lowest, highest) = gather(best.feature, rows, count)
    let split = statistics.bestSplit(
      codes: codes.base, count: count, lowest: lowest, highest: highest,
      missingCode: columns.base[best.feature].missingCode, limits: limits)
    guard split.decrease > best.decrease else { return }
    best.decrease = split.decrease
    best.lastLeft = split.last_left
    best.missingLeft = split.missing_left < 0 ? nil : split.missing_left == 1
  }

  /// Compares the feature's best split with the best so far; returns whether no other can be better.
  private func offer(
    _ feature: Int, _ rows: UnsafePointer<UInt32>, _ count: Int, _ lowest: Int32, _ highest: Int32,
    _ random: inout RandomSource, _ best: inout NodeSplit
  ) -> Bool {
    let column = columns.base[feature]
    if column.isCategorical || settings.hasRandomThresholds {
      return offerOther(feature, count, lowest, highest, &random, &best)
    }
    let split = statistics.bestSplit(
      codes: codes.base, count: count, lowest: lowest, highest: highest, missingCode: column.missingCode,
      limits: limits)
    guard split.decrease > best.decrease else { return false }
    // A split's sets of categories are large; they are left alone where there are none.
    if best.set != nil { best = NodeSplit() }
    best.feature = feature
    best.decrease = split.decrease
    best.lastLeft = split.last_left
    best.missingLeft = split.missing_left < 0 ? nil : split.missing_left == 1
    return count == 2 || best.decrease >= statistics.greatestDecrease
  }

  /// As ``offer``, for categories and for thresholds drawn at random.
  private func offerOther(
    _ feature: Int, _ count: Int, _ lowest: Int32, _ highest: Int32, _ random: inout RandomSource,
    _ best: inout NodeSplit
  ) -> Bool {
    var candidate = NodeSplit(feature: feature)
    if columns.base[feature].isCategorical {
      splitCategories(data.bins[feature], count, &random, &candidate)
    } else {
      splitAtRandom(columns.base[feature], count, lowest, highest, &random, &candidate)
    }
    guard candidate.decrease > best.decrease else { return false }
    best = candidate
    return count == 2 || best.decrease >= statistics.greatestDecrease
  }

  /// A threshold between the lowest and the highest value, drawn uniformly; missing values go to a random side.
  private func splitAtRandom(
    _ column: ColumnAccess, _ count: Int, _ lowest: Int32, _ highest: Int32, _ random: inout RandomSource,
    _ candidate: inout NodeSplit
  ) {
    let draw = random.uniform()
    let coin = random.uniform() < 0.5
    var highestKnown = highest
    let hasMissing = highest == column.missingCode
    if hasMissing {
      highestKnown = lowest
      for index in 0..<count {
        let code = Int32(codes.base[index])
        if code != column.missingCode, code > highestKnown { highestKnown = code }
      }
    }
    if lowest == highestKnown {
      // One known value beside missing ones: they part.
      candidate.lastLeft = lowest
      candidate.missingLeft = false
      candidate.threshold = column.boundary(Int(lowest))
    } else {
      let (low, high) = (column.lowest![Int(lowest)], column.highest![Int(highestKnown)])
      let threshold = low * (1 - draw) + high * draw
      candidate.lastLeft = column.lastCode(upTo: threshold, from: lowest, below: highestKnown)
      candidate.threshold = column.threshold(near: threshold, after: candidate.lastLeft)
      candidate.missingLeft = hasMissing ? coin : nil
    }
    forest_mark_sides(
      codes.base, Int64(count), candidate.lastLeft, column.missingCode, candidate.missingLeft == true ? 1 : 0)
    candidate.decrease =
      statistics.bestSplit(
        codes: codes.base, count: count, lowest: 0, highest: 1, missingCode: -1, limits: limits
      ).decrease
  }

  /// Puts the node's categories in the order of their mean target and splits between two of them, which finds
  /// the best of all subsets for numbers and for two classes (Fisher, 1958); with more classes the order is by
  /// the share of the node's leading class. Random thresholds part the ordered categories at random.
  private func splitCategories(
    _ bins: ColumnBins, _ count: Int, _ random: inout RandomSource, _ candidate: inout NodeSplit
  ) {
    let codeCount = bins.codeCount
    var sums = [Double](repeating: 0, count: codeCount + 1)
    var weights = sums
    var occurs = [Bool](repeating: false, count: codeCount + 1)
    for index in 0..<count {
      let code = Int(codes.base[index])
      let score = statistics.score(ofRow: index)
      sums[code] += score.sum
      weights[code] += score.weight
      occurs[code] = true
    }
    let present = (0..<codeCount).filter { occurs[$0] }
    let means = present.map { weights[$0] > 0 ? sums[$0] / weights[$0] : 0 }
    let ordered = present.indices.sorted { (means[$0], $0) < (means[$1], $1) }.map { present[$0] }
    let hasMissing = occurs[codeCount]
    var ranks = [UInt16](repeating: UInt16(ordered.count), count: codeCount + 1)
    for (rank, code) in ordered.enumerated() { ranks[code] = UInt16(rank) }
    let lastRank = ordered.count - (hasMissing ? 0 : 1)
    var forcedCut: Int?
    if settings.hasRandomThresholds {
      forcedCut = ordered.count < 2 ? 0 : random.integer(below: ordered.count - 1)
    }
    let coin = settings.hasRandomThresholds && ordered.count > 1 && random.uniform() < 0.5
    for index in 0..<count {
      let rank = ranks[Int(codes.base[index])]
      if let forcedCut {
        let isMissing = hasMissing && Int(rank) == ordered.count
        codes.base[index] = (isMissing ? coin : Int(rank) <= forcedCut) ? 0 : 1
      } else {
        codes.base[index] = rank
      }
    }
    let split = statistics.bestSplit(
      codes: codes.base, count: count, lowest: 0, highest: forcedCut == nil ? Int32(lastRank) : 1,
      missingCode: forcedCut == nil && hasMissing ? Int32(ordered.count) : -1, limits: limits)
    candidate.decrease = split.decrease
    let lastLeft = forcedCut ?? Int(split.last_left)
    candidate.missingLeft = hasMissing ? (forcedCut == nil ? split.missing_left == 1 : coin) : nil
    var set = CategorySet()
    for code in ordered.prefix(lastLeft + 1) { set.insert(code) }
    candidate.set = set
    for code in present { candidate.occurring.insert(code) }
  }
}
