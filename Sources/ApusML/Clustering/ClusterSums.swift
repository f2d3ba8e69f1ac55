import ApusLinearAlgebra
import CKernels

/// The weighted sums of the rows of each cluster, kept up to date by the rows that change clusters.
///
/// Each block of rows notes its changes apart; they are added block after block, so that sums do not depend
/// on the threads.
///
/// Unchecked Sendable: a block's changes are written by one thread at a time, and gathered after all have
/// ended.
final class ClusterSums: @unchecked Sendable {
  let blocks: RowBlocks
  /// The number of rows in each cluster.
  private(set) var counts: [Int]
  private let clusterCount: Int
  private let dimensions: Int
  private var sums: [Double]
  private var clusterWeights: [Double]
  private let changes: [BlockChanges]

  /// What the rows of one block that changed clusters add to the sums.
  private final class BlockChanges {
    /// Where the number of rows that changed stands: a variable of the class would be guarded at each access.
    let rowsChanged: UnsafeMutablePointer<Int>
    let sums: UnsafeMutableBufferPointer<Double>
    let weights: UnsafeMutableBufferPointer<Double>
    let counts: UnsafeMutableBufferPointer<Int>

    init(clusterCount: Int, dimensions: Int) {
      rowsChanged = .allocate(capacity: 1)
      rowsChanged.initialize(to: 0)
      sums = .allocate(capacity: clusterCount * dimensions)
      weights = .allocate(capacity: clusterCount)
      counts = .allocate(capacity: clusterCount)
      sums.initialize(repeating: 0)
      weights.initialize(repeating: 0)
      counts.initialize(repeating: 0)
    }

    deinit {
      rowsChanged.deallocate()
      sums.deallocate()
      weights.deallocate()
      counts.deallocate()
    }

    func clear() {
      guard rowsChanged.pointee > 0 else { return }
      rowsChanged.pointee = 0
      sums.update(repeating: 0)
      weights.update(repeating: 0)
      counts.update(repeating: 0)
    }
  }

  init(rowCount: Int, clusterCount: Int, dimensions: Int) {
    self.clusterCount = clusterCount
    self.dimensions = dimensions
    // The changes of all blocks together take at most 64 MB.
    let affordable = (64 << 20) / (8 * max(1, clusterCount * dimensions))
    blocks = RowBlocks(rowCount: rowCount, minimumSize: 1024, maximumCount: min(64, max(1, affordable)))
    counts = [Int](repeating: 0, count: clusterCount)
    sums = [Double](repeating: 0, count: clusterCount * dimensions)
    clusterWeights = [Double](repeating: 0, count: clusterCount)
    changes = (0..<blocks.count).map { _ in
      BlockChanges(clusterCount: clusterCount, dimensions: dimensions)
    }
  }

  /// Begins a block: forgets its changes, and returns where new ones are noted.
  func begin(_ block: Int) -> BlockMoves {
    let change = changes[block]
    change.clear()
    return BlockMoves(
      dimensions: dimensions, rowsChanged: change.rowsChanged, sums: change.sums.baseAddress!,
      weights: change.weights.baseAddress!, counts: change.counts.baseAddress!)
  }

  /// Notes the rows of one block that change their cluster.
  ///
  /// Pointers alone: a reference would be counted at every row, in one place for all threads.
  struct BlockMoves {
    fileprivate let dimensions: Int
    fileprivate let rowsChanged: UnsafeMutablePointer<Int>
    fileprivate let sums: UnsafeMutablePointer<Double>
    fileprivate let weights: UnsafeMutablePointer<Double>
    fileprivate let counts: UnsafeMutablePointer<Int>

    /// Moves a row from a cluster (-1: none) to another.
    @inline(__always)
    func move(
      _ row: UnsafePointer<Double>, _ shift: UnsafePointer<Double>, weight: Double, from old: Int, to new: Int
    ) {
      rowsChanged.pointee &+= 1
      let gains = sums + new &* dimensions
      if old >= 0 {
        ckernels_kmeans_move(row, dimensions, shift, weight, gains, sums + old &* dimensions)
        weights[old] -= weight
        counts[old] -= 1
      } else {
        ckernels_kmeans_move(row, dimensions, shift, weight, gains, nil)
      }
      weights[new] += weight
      counts[new] += 1
    }
  }

  /// Adds the changes of all blocks to the sums; returns the number of rows that changed.
  func gather() -> Int {
    var total = 0
    for change in changes where change.rowsChanged.pointee > 0 {
      total += change.rowsChanged.pointee
      for index in 0..<sums.count { sums[index] += change.sums[index] }
      for cluster in 0..<clusterCount {
        clusterWeights[cluster] += change.weights[cluster]
        counts[cluster] += change.counts[cluster]
      }
    }
    for cluster in 0..<clusterCount where counts[cluster] == 0 {
      clusterWeights[cluster] = 0
      for column in 0..<dimensions { sums[cluster * dimensions + column] = 0 }
    }
    return total
  }

  /// The clusters' weighted means. A cluster without rows takes the row farthest from its centre, out of a
  /// cluster that keeps others.
  ///
  /// - Parameter old: the centres that the rows were assigned to.
  func centres(
    keeping old: Matrix<Double>, features: Matrix<Double>, weights: [Double]?, shift: [Double],
    labels: () -> [Int32]
  ) -> Matrix<Double> {
    var (sums, clusterWeights, counts) = (self.sums, self.clusterWeights, self.counts)
    if counts.contains(0) {
      let labels = labels()
      var rows = Self.farthestFirst(features, old, labels)[...]
      for empty in 0..<clusterCount where counts[empty] == 0 {
        while let row = rows.first, counts[Int(labels[row])] < 2 { rows.removeFirst() }
        guard let row = rows.popFirst() else { break }
        let donor = Int(labels[row])
        let weight = weights?[row] ?? 1
        for column in 0..<dimensions {
          let value = (features[row, column] - shift[column]) * weight
          sums[donor * dimensions + column] -= value
          sums[empty * dimensions + column] = value
        }
        clusterWeights[donor] -= weight
        clusterWeights[empty] = weight
        counts[donor] -= 1
        counts[empty] = 1
      }
    }
    return Matrix(rowCount: clusterCount, columnCount: dimensions) { target in
      for cluster in 0..<clusterCount {
        for column in 0..<dimensions {
          let index = cluster * dimensions + column
          target[index] =
            counts[cluster] == 0
            ? old[cluster, column] : shift[column] + sums[index] / clusterWeights[cluster]
        }
      }
    }
  }

  /// The rows that do not lie on their centre, the farthest first; of equally far ones the first.
  private static func farthestFirst(
    _ features: Matrix<Double>, _ centres: Matrix<Double>, _ labels: [Int32]
  ) -> [Int] {
    let p = features.columnCount
    let squares = features.withUnsafeElements { x in
      centres.withUnsafeElements { c in
        labels.indices.map {
          squaredDistance(x.baseAddress! + $0 * p, c.baseAddress! + Int(labels[$0]) * p, p)
        }
      }
    }
    return squares.indices.filter { squares[$0] > 0 }
      .sorted { (squares[$1], $0) < (squares[$0], $1) }
  }
}
