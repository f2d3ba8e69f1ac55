import ApusData
import ApusParallel

/// How often each true class was predicted as each class; the scores of predicted classes are read off it.
///
/// ```swift
/// let confusion = try ConfusionMatrix(truth: ["cat", "dog", "dog"], predicted: ["cat", "cat", "dog"])
/// confusion.accuracy              // 0.666…
/// confusion.f1(averaging: .macro) // 0.666…
/// ```
public struct ConfusionMatrix: Sendable, Hashable, Codable {
  /// The labels of the classes, `k` of them, in the order of rows and columns.
  public let labels: [String]
  /// The weight of the rows of true class i predicted as class j, at `i · k + j`; the count without weights.
  public let counts: [Double]
  /// Whether each class occurs in the truth or the predictions, in a row of any weight.
  public let occurs: [Bool]

  /// Counts classes that are given as positions in a list of labels.
  ///
  /// - Parameters:
  ///   - truth: the true class of each row.
  ///   - predicted: the predicted class of each row.
  ///   - labels: the labels of the classes.
  ///   - weights: how much each row counts; all the same unless given.
  /// - Throws: ``ApusError`` of kind `shape` when lengths differ, of kind `data` for a class without label.
  /// - Complexity: O(n + k²).
  public init(truth: [Int32], predicted: [Int32], labels: [String], weights: [Double]? = nil) throws {
    try checkLengths(truth.count, ("predictions", predicted.count), ("weights", weights?.count))
    let k = labels.count
    var counts = [Double](repeating: 0, count: k * k)
    var occurs = [Bool](repeating: false, count: k)
    for row in truth.indices {
      let (true_, guess) = (Int(truth[row]), Int(predicted[row]))
      guard true_ >= 0, true_ < k, guess >= 0, guess < k else {
        throw ApusError(.data, "row \(row + 1) has class \(true_), predicted \(guess), of \(k) classes")
      }
      counts[true_ * k + guess] += weights?[row] ?? 1
      occurs[true_] = true
      occurs[guess] = true
    }
    self.labels = labels
    self.counts = counts
    self.occurs = occurs
  }

  /// Counts labels; the classes are the distinct labels of both lists, sorted.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when lengths differ.
  public init(truth: [String], predicted: [String], weights: [Double]? = nil) throws {
    try checkLengths(truth.count, ("predictions", predicted.count), ("weights", weights?.count))
    guard case .classes(let indices, let labels) = Target.classes(truth + predicted) else {
      preconditionFailure()
    }
    try self.init(
      truth: Array(indices[..<truth.count]), predicted: Array(indices[truth.count...]), labels: labels,
      weights: weights)
  }

  /// The number of classes.
  public var classCount: Int { labels.count }

  /// The weight of the rows of a true class that were predicted as some class.
  public subscript(truth: Int, predicted: Int) -> Double { counts[truth * labels.count + predicted] }

  /// The weight of the rows of a true class.
  public func trueTotal(_ index: Int) -> Double {
    var total = 0.0
    for predicted in 0..<classCount { total += self[index, predicted] }
    return total
  }

  /// The weight of the rows that were predicted as a class.
  public func predictedTotal(_ index: Int) -> Double {
    var total = 0.0
    for truth in 0..<classCount { total += self[truth, index] }
    return total
  }
}

/// Checks lists against the number of rows.
///
/// - Throws: ``ApusError`` of kind `shape` that names the list and both lengths.
func checkLengths(_ rows: Int, _ lists: (name: String, count: Int?)...) throws {
  for list in lists {
    guard let count = list.count, count != rows else { continue }
    throw ApusError(.shape, "\(count) \(list.name) for \(rows) true values")
  }
}
