import ApusLinearAlgebra

/// The sums of leaf values over the trees that did not see a row, and the number of those trees.
struct OutOfBagSums {
  let totals: Matrix<Double>
  let treeCounts: [Int]

  /// The mean of each row of sums, NaN for rows that every tree saw.
  var means: [[Double]] {
    treeCounts.indices.map { row in
      totals.row(row).map { treeCounts[row] > 0 ? $0 / Double(treeCounts[row]) : .nan }
    }
  }
}

/// What the trees that did not see a training row say about it: an honest estimate without a test set.
public struct OutOfBagClasses: Sendable, Equatable, Codable {
  /// The share of rows, by weight, whose class is predicted by the trees that did not see them; nil
  /// where every tree saw every row.
  public let score: Double?
  /// The predicted class shares of each training row, `n × k`; NaN for rows that every tree saw or that weigh
  /// nothing.
  public let probabilities: Matrix<Double>

  init(sums: OutOfBagSums, rows: ForestRows, rowCount: Int, classes: [Int32], weights: [Double]?) {
    let classCount = sums.totals.columnCount
    let filler = [Double](repeating: .nan, count: classCount)
    let means = rows.scatter(sums.means, count: rowCount, filler: filler)
    probabilities = Matrix(means)
    var (right, all) = (0.0, 0.0)
    for (row, shares) in means.enumerated() where !shares[0].isNaN {
      let weight = weights?[row] ?? 1
      all += weight
      let leading = shares.withUnsafeBufferPointer { leadingClass($0.baseAddress!, count: classCount) }
      if leading == Int(classes[row]) { right += weight }
    }
    score = all > 0 ? right / all : nil
  }

  /// Whether two are the same; NaN equals NaN here.
  public static func == (left: OutOfBagClasses, right: OutOfBagClasses) -> Bool {
    left.score == right.score
      && left.probabilities.elements.map(\.bitPattern) == right.probabilities.elements.map(\.bitPattern)
  }
}

/// What the trees that did not see a training row predict for it: an honest estimate without a test set.
public struct OutOfBagNumbers: Sendable, Equatable, Codable {
  /// The coefficient of determination R² of the predictions, weighted; nil where every tree saw every row, or
  /// where all targets are equal.
  public let score: Double?
  /// The prediction for each training row; NaN for rows that every tree saw or that weigh nothing.
  public var predictions: [Double] { packed.elements }

  private let packed: PackedArray<Double>

  init(sums: OutOfBagSums, rows: ForestRows, rowCount: Int, values: [Double], weights: [Double]?) {
    let predictions = rows.scatter(sums.means.map { $0[0] }, count: rowCount, filler: .nan)
    packed = PackedArray(predictions)
    let known = predictions.indices.filter { !predictions[$0].isNaN }
    let rowWeights = known.map { weights?[$0] ?? 1 }
    let total = rowWeights.reduce(0, +)
    let mean = zip(known, rowWeights).reduce(0) { $0 + values[$1.0] * $1.1 } / total
    var (residual, spread) = (0.0, 0.0)
    for (row, weight) in zip(known, rowWeights) {
      residual += weight * (values[row] - predictions[row]) * (values[row] - predictions[row])
      spread += weight * (values[row] - mean) * (values[row] - mean)
    }
    score = spread > 0 ? 1 - residual / spread : nil
  }

  /// Whether two are the same; NaN equals NaN here.
  public static func == (left: OutOfBagNumbers, right: OutOfBagNumbers) -> Bool {
    left.score == right.score
      && left.predictions.map(\.bitPattern) == right.predictions.map(\.bitPattern)
  }
}
