import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Cuts every column into bins, by quantiles or of equal width.
///
/// A value becomes the number of its bin, or a column of 0 and 1 for each bin. Values beyond the ends of the
/// training data fall into the first and the last bin. Bins no wider than 1e-8 are joined with their neighbour,
/// so a column of few values gets fewer bins.
public struct KBinsDiscretizer: TransformerEstimator {
  /// The number of bins a column.
  public var binCount = 5
  /// How the bins are written.
  public var encode = BinEncoding.onehot
  /// Where the bins are cut.
  public var strategy = BinStrategy.quantile

  /// Creates a discretizer with five quantile bins.
  public init() {}

  /// `k-bins-discretizer`.
  public static let name = "k-bins-discretizer"
  /// What it does.
  public static let summary = "Cuts every column into bins, by quantiles or of equal width."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<KBinsDiscretizer>] = [
    Hyperparameter(
      "binCount", \.binCount, alias: "n_bins", in: .between(2, 65_536), "The number of bins a column."),
    Hyperparameter("encode", \.encode, "How the bins are written: their number, or a column each."),
    Hyperparameter("strategy", \.strategy, "Where the bins are cut."),
  ]

  /// Finds the edges of every column's bins.
  ///
  /// Quantiles are averaged inverses of the weighted distribution function (method 2 of Hyndman and Fan, 1996), as
  /// in scikit-learn; bins of equal width go by the rows that weigh something.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns, missing or infinite values, or no rows.
  /// - Complexity: O(n log n · p).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> KBinsDiscretizerModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let edges = try context.compute.map(data.featureCount) { column -> [Double] in
      innerEdges(of: SortedColumn(data.features.column(column), weights: data.weights))
    }
    return KBinsDiscretizerModel(innerEdges: edges, encode: encode)
  }

  /// The edges between the bins of a column; none for a constant one.
  private func innerEdges(of column: SortedColumn) -> [Double] {
    let (low, high) = (column.values[0], column.values[column.values.count - 1])
    guard low < high else { return [] }
    switch strategy {
    case .uniform:
      return (1..<binCount).map { low + Double($0) * ((high - low) / Double(binCount)) }
    case .quantile:
      var edges = [low]
      var last = low
      for step in 1...binCount {
        let edge = column.quantile(step, of: binCount)
        if edge - last > 1e-8 { edges.append(edge) }
        last = edge
      }
      return Array(edges.dropFirst().dropLast())
    }
  }
}

/// The values of a column that weigh something, in ascending order.
private struct SortedColumn {
  let values: [Double]
  /// The sum of the weights up to each value; nil where all weigh the same.
  private let weightSums: [Double]?

  init(_ values: [Double], weights: [Double]?) {
    guard let weights else {
      (self.values, weightSums) = (values.sorted(), nil)
      return
    }
    let order = values.indices.filter { weights[$0] > 0 }.sorted { (values[$0], $0) < (values[$1], $1) }
    self.values = order.map { values[$0] }
    guard order.contains(where: { weights[$0] != weights[order[0]] }) else {
      weightSums = nil
      return
    }
    var sum = 0.0
    weightSums = order.map { row in
      sum += weights[row]
      return sum
    }
  }

  /// The quantile `step / count`: the value at that place, the mean of two where it falls between them.
  func quantile(_ step: Int, of count: Int) -> Double {
    let last = values.count - 1
    guard let weightSums else {
      let (place, rest) = (values.count * step).quotientAndRemainder(dividingBy: count)
      if rest > 0 { return values[place] }
      return (values[max(0, place - 1)] + values[min(place, last)]) / 2
    }
    let wanted = weightSums[last] * Double(step) / Double(count)
    // Sums that should be equal may differ by rounding.
    let slack = 1e-14 * weightSums[last]
    var (place, end) = (0, last)
    while place < end {
      let middle = (place + end) / 2
      if weightSums[middle] < wanted - slack { place = middle + 1 } else { end = middle }
    }
    if weightSums[place] > wanted + slack { return values[place] }
    return (values[place] + values[min(place + 1, last)]) / 2
  }
}

/// How a ``KBinsDiscretizer`` writes bins.
public enum BinEncoding: String, ParameterChoice {
  /// A column of 0 and 1 for each bin.
  case onehot
  /// The number of the bin, from 0.
  case ordinal
}

/// Where a ``KBinsDiscretizer`` cuts.
public enum BinStrategy: String, ParameterChoice {
  /// As many rows in each bin, as far as equal values allow.
  case quantile
  /// Bins of the same width.
  case uniform
}

/// The bins that a ``KBinsDiscretizer`` found.
public struct KBinsDiscretizerModel: TransformationModel {
  /// The edges between the bins of each column, ascending; a value on an edge belongs to the bin above.
  public let innerEdges: [[Double]]
  /// How the bins are written.
  let encode: BinEncoding

  /// The number of features, `p`.
  public var featureCount: Int { innerEdges.count }

  /// The same columns, or `name=bin` for each bin.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    zip(columns, innerEdges).flatMap { column, edges in
      encode == .ordinal
        ? [Feature(name: column.name)] : (0...edges.count).map { Feature(name: "\(column.name)=\($0)") }
    }
  }

  /// The bins of every value.
  ///
  /// - Throws: ``ApusError`` of kind `shape`, or `data` for a missing value.
  /// - Complexity: O(n · p · log bins).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    try features.requireFinite(for: KBinsDiscretizer.name)
    let widths = innerEdges.map { encode == .ordinal ? 1 : $0.count + 1 }
    let width = widths.reduce(0, +)
    return Matrix(rowCount: features.rowCount, columnCount: width) { target in
      target.update(repeating: 0)
      var output = 0
      for row in 0..<features.rowCount {
        for column in 0..<featureCount {
          let bin = Self.bin(of: features[row, column], innerEdges[column])
          if encode == .ordinal { target[output] = Double(bin) } else { target[output + bin] = 1 }
          output += widths[column]
        }
      }
    }
  }

  /// The number of edges that are not above a value.
  private static func bin(of value: Double, _ edges: [Double]) -> Int {
    var (low, high) = (0, edges.count)
    while low < high {
      let middle = (low + high) / 2
      if edges[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
