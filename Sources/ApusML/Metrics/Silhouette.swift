import ApusLinearAlgebra
import ApusParallel

/// The silhouette of clusters (Rousseeuw, 1987): how much nearer rows are to their own cluster than to the
/// next one.
public enum Silhouette {
  /// The mean over the rows of `(b − a) / max(a, b)`, where a is the mean Euclidean distance to the other rows
  /// of the row's cluster and b the smallest mean distance to the rows of another cluster; 0 for a row that is
  /// alone in its cluster.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when lengths differ, of kind `data` unless there are at least two
  ///   clusters and fewer than rows.
  /// - Complexity: O(n² · p).
  public static func meanScore(
    _ features: Matrix<Double>, clusters: [Int32], _ compute: ComputeContext = .allCPUs
  ) throws -> Double {
    let scores = try self.scores(features, clusters: clusters, compute)
    return scores.reduce(0, +) / Double(scores.count)
  }

  /// The silhouette of each row.
  ///
  /// - Throws: as ``meanScore(_:clusters:_:)`` does.
  public static func scores(
    _ features: Matrix<Double>, clusters: [Int32], _ compute: ComputeContext = .allCPUs
  ) throws -> [Double] {
    let n = features.rowCount
    try checkLengths(n, ("clusters", clusters.count))
    let distinct = Set(clusters).sorted()
    guard distinct.count >= 2, distinct.count < n else {
      throw ApusError(
        .data,
        "the silhouette needs at least 2 clusters and fewer than rows, but there are "
          + "\(distinct.count) clusters of \(n) rows")
    }
    let position = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
    let cluster = clusters.map { position[$0]! }
    var sizes = [Int](repeating: 0, count: distinct.count)
    for index in cluster { sizes[index] += 1 }
    let blockSize = 64
    let blocks = try compute.map((n + blockSize - 1) / blockSize) { [sizes] block in
      try compute.cancellation.check()
      return features.withUnsafeElements { x in
        (block * blockSize..<min(n, (block + 1) * blockSize)).map { row in
          rowScore(row, x, width: features.columnCount, cluster: cluster, sizes: sizes)
        }
      }
    }
    return blocks.flatMap { $0 }
  }

  private static func rowScore(
    _ row: Int, _ x: UnsafeBufferPointer<Double>, width: Int, cluster: [Int], sizes: [Int]
  ) -> Double {
    let own = cluster[row]
    guard sizes[own] > 1 else { return 0 }
    var sums = [Double](repeating: 0, count: sizes.count)
    for other in cluster.indices {
      var square = 0.0
      for column in 0..<width {
        let difference = x[row * width + column] - x[other * width + column]
        square += difference * difference
      }
      sums[cluster[other]] += square.squareRoot()
    }
    let a = sums[own] / Double(sizes[own] - 1)
    var b = Double.infinity
    for index in sizes.indices where index != own { b = min(b, sums[index] / Double(sizes[index])) }
    return a == b ? 0 : (b - a) / max(a, b)
  }
}
