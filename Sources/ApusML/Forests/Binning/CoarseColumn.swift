/// A column of many codes with neighbouring codes put together, so that a node of many rows finds its split among few.
///
/// Unchecked Sendable: its memory is written by the initialiser alone.
struct CoarseColumn: @unchecked Sendable {
  /// The coarse codes, a row each, in one byte.
  let codes: CodeColumn
  /// For each coarse code the last of the column's own codes in it.
  let lastCodes: Room<Int32>
  /// The coarse code of a missing value, or −1 where there is none.
  let missingCode: Int32

  /// Puts codes together into ranges of about equal weight.
  ///
  /// - Parameters:
  ///   - column: the column's own codes.
  ///   - bins: what they stand for.
  ///   - weights: the rows' weights.
  ///   - limit: the most coarse codes, the one for missing values included, 256 at most.
  init(_ column: CodeColumn, _ bins: ColumnBins, weights: [Double]?, limit: Int) {
    var masses = [Double](repeating: 0, count: bins.codeCount + 1)
    for row in 0..<column.count { masses[column[row]] += weights.map { $0[row] } ?? 1 }
    let ranges = ColumnBins(
      values: (0..<bins.codeCount).map(Double.init), masses: Array(masses.dropLast()),
      hasMissing: bins.hasMissing, limit: limit)
    lastCodes = Room(ranges.highest.map { Int32($0) })
    missingCode = ranges.missingCode
    var coarse = [UInt8](repeating: UInt8(ranges.codeCount - 1), count: bins.codeCount + 1)
    for code in ranges.highest.indices {
      for own in Int(ranges.lowest[code])...Int(ranges.highest[code]) { coarse[own] = UInt8(code) }
    }
    if bins.hasMissing { coarse[bins.codeCount] = UInt8(ranges.codeCount) }
    codes = CodeColumn(count: column.count, isWide: false) { bytes, _ in
      for row in 0..<column.count { bytes![row] = coarse[column[row]] }
    }
  }
}
