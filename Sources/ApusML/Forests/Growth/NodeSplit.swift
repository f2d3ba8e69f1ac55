import CKernels

/// A split that a node may take.
struct NodeSplit {
  var feature = -1
  /// The decrease in the criterion's own units; negative for no split.
  var decrease = -1.0
  /// The largest code that goes left; for a categorical column the set of those that do is in `set`.
  var lastLeft: Int32 = 0
  /// Whether missing values go left; nil where the node has none.
  var missingLeft: Bool?
  /// The categories that go left, for a split on a categorical column.
  var set: CategorySet?
  /// The categories that occur in the node.
  var occurring = CategorySet()
  /// The threshold, where it was drawn at random.
  var threshold = Double.nan
}

/// A set of up to 320 codes.
struct CategorySet: Equatable {
  static let wordCount = 5
  private(set) var words: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)

  mutating func insert(_ code: Int) {
    withUnsafeMutableBytes(of: &words) { bytes in
      bytes.withMemoryRebound(to: UInt64.self) { $0[code >> 6] |= 1 << UInt64(code & 63) }
    }
  }

  func contains(_ code: Int) -> Bool { array[code >> 6] >> UInt64(code & 63) & 1 != 0 }

  /// The set with the codes that a node has not seen, and a missing value, on the side of missing values.
  func completed(codeCount: Int, occurring: CategorySet, missingLeft: Bool) -> CategorySet {
    guard missingLeft else { return self }
    var all = self
    for code in 0...codeCount where !occurring.contains(code) { all.insert(code) }
    return all
  }

  var array: [UInt64] { [words.0, words.1, words.2, words.3, words.4] }

  static func == (left: CategorySet, right: CategorySet) -> Bool { left.words == right.words }
}
