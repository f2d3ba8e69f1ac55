import ApusData
import ApusLinearAlgebra
import ApusParallel

/// The features of a data set as codes, column by column; made once and shared by all trees.
struct BinnedFeatures: Sendable {
  let rowCount: Int
  let bins: [ColumnBins]
  let codes: [CodeColumn]
  /// For columns of many codes, the same with few codes; nil for the others.
  let coarse: [CoarseColumn?]

  /// The most codes of a column, the one for missing values included.
  var maxCodeCount: Int { bins.map { $0.codeCount + ($0.hasMissing ? 1 : 0) }.max() ?? 1 }

  /// Bins every column, several at a time on the context's threads.
  ///
  /// - Parameters:
  ///   - data: the rows, each of positive weight.
  ///   - weights: the rows' weights, for bins of equal weight.
  ///   - codeLimit: the most codes a column may have, 65,536 at most.
  ///   - coarseLimit: the most codes of the coarse columns, 256 at most; nil for none.
  /// - Complexity: O(n · p) for columns of few distinct values, else O(n log n · p).
  init(
    _ data: Dataset, weights: [Double]?, codeLimit: Int, coarseLimit: Int? = nil, _ compute: ComputeContext
  ) throws {
    let n = data.rowCount
    let p = data.featureCount
    // Eight columns are a cache line of the row-major features.
    let groupSize = 8
    let groups = try compute.map((p + groupSize - 1) / groupSize) { group in
      try compute.cancellation.check()
      let columns = group * groupSize..<min(p, (group + 1) * groupSize)
      return data.features.withUnsafeElements { features in
        withUnsafeTemporaryAllocation(of: Double.self, capacity: n * columns.count) { buffer in
          for row in 0..<n {
            for (offset, column) in columns.enumerated() {
              buffer[offset &* n &+ row] = features[row &* p &+ column]
            }
          }
          return columns.enumerated().map { offset, column in
            Self.bin(
              UnsafeBufferPointer(rebasing: buffer[offset * n..<(offset + 1) * n]), data.columns[column],
              weights: weights, codeLimit: codeLimit)
          }
        }
      }
    }
    rowCount = n
    bins = groups.flatMap { $0.map(\.0) }
    let columns = groups.flatMap { $0.map(\.1) }
    codes = columns
    let bins = self.bins
    coarse = try compute.map(p) { column in
      guard let coarseLimit, bins[column].categoryCount == nil, columns[column].words != nil else {
        return nil
      }
      try compute.cancellation.check()
      return CoarseColumn(columns[column], bins[column], weights: weights, limit: coarseLimit)
    }
  }

  private static func bin(
    _ values: UnsafeBufferPointer<Double>, _ feature: Feature, weights: [Double]?, codeLimit: Int
  ) -> (ColumnBins, CodeColumn) {
    if let categories = feature.categories, categories.count <= ColumnBins.maxCategories {
      var bins = ColumnBins(categoryCount: categories.count, hasMissing: false)
      bins.hasMissing = values.contains { bins.code($0) == bins.codeCount }
      return (bins, encode(values, bins))
    }
    let distinct = DistinctValues(values, weights: weights)
    let bins = ColumnBins(
      values: distinct.values, masses: distinct.masses, hasMissing: distinct.hasMissing, limit: codeLimit)
    guard !distinct.positions.isEmpty else { return (bins, encode(values, bins)) }
    let codes = distinct.values.map(bins.code)
    let column = CodeColumn(count: values.count, isWide: isWide(bins)) { bytes, words in
      for (row, position) in distinct.positions.enumerated() {
        let code = position == DistinctValues.missing ? bins.codeCount : codes[Int(position)]
        if let bytes { bytes[row] = UInt8(code) } else { words![row] = UInt16(code) }
      }
    }
    return (bins, column)
  }

  private static func isWide(_ bins: ColumnBins) -> Bool { bins.codeCount + (bins.hasMissing ? 1 : 0) > 256 }

  private static func encode(_ values: UnsafeBufferPointer<Double>, _ bins: ColumnBins) -> CodeColumn {
    CodeColumn(count: values.count, isWide: isWide(bins)) { bytes, words in
      for (row, value) in values.enumerated() {
        let code = bins.code(value)
        if let bytes { bytes[row] = UInt8(code) } else { words![row] = UInt16(code) }
      }
    }
  }
}
