import ApusParallel

/// How the values of one column become small integer codes, in training and in prediction alike.
///
/// The code of a number is how many boundaries lie below it, so `x ≤ boundaries[c]` exactly where
/// `code(x) ≤ c`: a split on codes is a split on the numbers, without rounding. The code of a category is its
/// position. The code after the last known one stands for a missing value.
struct ColumnBins: Sendable, Equatable {
  /// The ends of the bins but the last, ascending; empty for a categorical column.
  var boundaries: [Double]
  /// The lowest and the highest value in each bin of the training rows; empty for a categorical column.
  var lowest: [Double]
  var highest: [Double]
  /// The number of categories; nil for a numeric column.
  var categoryCount: Int?
  /// Whether a training row has no value.
  var hasMissing: Bool

  /// The most categories that are split by sets; a column with more is split by the order of its categories.
  static let maxCategories = 256

  /// The number of codes that known values have.
  var codeCount: Int { categoryCount ?? boundaries.count + 1 }

  /// The code of a missing value, or −1 where the training rows have none.
  var missingCode: Int32 { hasMissing ? Int32(codeCount) : -1 }

  /// Bins of a numeric column: one a value where there are no more than `limit`, else ranges of about equal
  /// weight that never part equal values.
  ///
  /// - Parameters:
  ///   - values: the distinct known values, ascending.
  ///   - masses: the weight of each value.
  ///   - hasMissing: whether a row has no value.
  ///   - limit: the most codes, the one for missing values included.
  init(values: [Double], masses: [Double], hasMissing: Bool, limit: Int) {
    self.hasMissing = hasMissing
    let binCount = max(1, hasMissing ? limit - 1 : limit)
    guard values.count > binCount else {
      lowest = values
      highest = values
      boundaries = zip(values, values.dropFirst()).map(Self.between)
      return
    }
    (lowest, highest, boundaries) = ([], [], [])
    var remaining = masses.reduce(0, +)
    var inBin = 0.0
    for index in values.indices {
      if inBin == 0 { lowest.append(values[index]) }
      inBin += masses[index]
      let isLast = index == values.count - 1
      let binsLeft = binCount - highest.count
      // A bin ends where taking the next value would bring it further from its fair share.
      let share = remaining / Double(binsLeft)
      let valuesLeft = values.count - 1 - index
      let isFull =
        isLast || (binsLeft > 1 && (inBin + masses[index + 1] / 2 > share || valuesLeft < binsLeft))
      guard isFull else { continue }
      highest.append(values[index])
      if !isLast { boundaries.append(Self.between(values[index], values[index + 1])) }
      remaining -= inBin
      inBin = 0
    }
  }

  /// Codes of a categorical column.
  init(categoryCount: Int, hasMissing: Bool) {
    (boundaries, lowest, highest) = ([], [], [])
    self.categoryCount = categoryCount
    self.hasMissing = hasMissing
  }

  /// A number that is at least `low` and below `high`: their middle, as far as rounding lets it.
  static func between(_ low: Double, _ high: Double) -> Double {
    let middle = low / 2 + high / 2
    return middle >= low && middle < high ? middle : low
  }

  /// The code of a value.
  func code(_ value: Double) -> Int {
    if let categoryCount {
      guard let category = Int(exactly: value), category >= 0, category < categoryCount else {
        return codeCount
      }
      return category
    }
    guard !value.isNaN else { return codeCount }
    var low = 0
    var high = boundaries.count
    while low < high {
      let middle = (low + high) / 2
      if boundaries[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The code at which to cut so that the threshold lies nearest the middle between two codes that are
  /// neighbours in a node.
  func cut(after left: Int32, before right: Int32) -> Int32 {
    guard right > left + 1, Int(right) < codeCount, categoryCount == nil else { return left }
    let middle = highest[Int(left)] / 2 + lowest[Int(right)] / 2
    // The last code between them whose own middle lies left of theirs; there may be thousands.
    var (low, high) = (left, right - 1)
    while low < high {
      let code = (low + high + 1) / 2
      if lowest[Int(code)] / 2 + highest[Int(code)] / 2 <= middle { low = code } else { high = code - 1 }
    }
    return low
  }
}
