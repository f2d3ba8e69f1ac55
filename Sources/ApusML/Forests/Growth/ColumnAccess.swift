/// What the search needs of a column for each node, without counting references; the data set keeps the codes, and the
/// finder the values.
struct ColumnAccess: BitwiseCopyable {
  let bytes: UnsafePointer<UInt8>?
  let words: UnsafePointer<UInt16>?
  let missingCode: Int32
  let isCategorical: Bool
  let coarseBytes: UnsafePointer<UInt8>?
  let lastCodes: UnsafePointer<Int32>?
  let coarseMissingCode: Int32
  /// The lowest and the highest value of each code, and the boundaries between them; nil where nobody draws between.
  let lowest: UnsafePointer<Double>?
  let highest: UnsafePointer<Double>?
  private let boundaries: UnsafePointer<Double>?
  private let boundaryCount: Int32

  init(_ data: BinnedFeatures, column: Int, values: ColumnValues?) {
    let (bins, codes, coarse) = (data.bins[column], data.codes[column], data.coarse[column])
    bytes = codes.bytes.map { UnsafePointer($0) }
    words = codes.words.map { UnsafePointer($0) }
    missingCode = bins.missingCode
    isCategorical = bins.categoryCount != nil
    coarseBytes = coarse.flatMap { $0.codes.bytes.map { UnsafePointer($0) } }
    lastCodes = coarse.map { UnsafePointer($0.lastCodes.base) }
    coarseMissingCode = coarse?.missingCode ?? -1
    lowest = values.map { UnsafePointer($0.lowest.base) }
    highest = values.map { UnsafePointer($0.highest.base) }
    boundaries = values.map { UnsafePointer($0.boundaries.base) }
    boundaryCount = Int32(bins.boundaries.count)
  }

  /// The boundary above a code; infinity above the last one.
  func boundary(_ code: Int) -> Double { code < boundaryCount ? boundaries![code] : .infinity }

  /// The largest code from `first` and below `end` whose values are all at most a threshold; at least `first`.
  func lastCode(upTo threshold: Double, from first: Int32, below end: Int32) -> Int32 {
    var (low, high) = (first, end - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if highest![Int(middle)] <= threshold { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// A threshold that cuts after a code: the one wished for where it does so, else the bin's boundary.
  func threshold(near wish: Double, after code: Int32) -> Double {
    let index = Int(code)
    return wish >= highest![index] && wish < lowest![index + 1] ? wish : boundaries![index]
  }
}

/// The values of a column's codes, where no references are counted.
final class ColumnValues {
  let lowest: Room<Double>
  let highest: Room<Double>
  let boundaries: Room<Double>

  init(_ bins: ColumnBins) {
    (lowest, highest, boundaries) = (Room(bins.lowest), Room(bins.highest), Room(bins.boundaries))
  }
}
