import ApusLinearAlgebra
import CKernels

/// The cluster of every point, with two bounds: how far its centre is at most, how far every other centre is
/// at least (Hamerly, 2010).
///
/// Unchecked Sendable: blocks of rows are disjoint, and each is worked on by one thread at a time.
final class ClusterAssignments: @unchecked Sendable {
  private let points: ScaledPoints
  private let features: Matrix<Double>
  private let labelled: UnsafeMutableBufferPointer<Int32>
  private let rows: UnsafeMutableBufferPointer<Int32>
  private let nearest: UnsafeMutableBufferPointer<Int32>
  private let upper: UnsafeMutableBufferPointer<Float>
  private let lower: UnsafeMutableBufferPointer<Float>
  private let best: UnsafeMutableBufferPointer<Float>
  private let second: UnsafeMutableBufferPointer<Float>
  private let open: UnsafeMutableBufferPointer<Int32>

  /// Bounds are widened by more than the rounding of the operations that make them.
  private static let up: Float = 1 + 1e-6
  private static let down: Float = 1 - 1e-6

  init(points: ScaledPoints, features: Matrix<Double>) {
    self.points = points
    self.features = features
    let n = features.rowCount
    labelled = .allocate(capacity: n)
    labelled.initialize(repeating: -1)
    rows = .allocate(capacity: n)
    nearest = .allocate(capacity: n)
    upper = .allocate(capacity: n)
    lower = .allocate(capacity: n)
    best = .allocate(capacity: n)
    second = .allocate(capacity: n)
    open = .allocate(capacity: n)
  }

  deinit {
    for buffer in [labelled, rows, nearest, open] { buffer.deallocate() }
    for buffer in [upper, lower, best, second] { buffer.deallocate() }
  }

  /// The cluster of each point; -1 before the first assignment.
  var labels: [Int32] { Array(labelled) }

  /// Compares every point of a block with every centre.
  func assignAll(_ block: Range<Int>, _ centres: Matrix<Double>, _ table: CentreTable) {
    for row in 0..<block.count { rows[block.lowerBound + row] = Int32(row) }
    compare(block, count: block.count, centres, table) { _, _, _ in }
  }

  /// Brings a block up to date after the centres moved.
  ///
  /// - Parameters:
  ///   - moves: how far each centre moved; nil compares every point with every centre.
  ///   - changed: called for each point that changed its cluster: row, old cluster (-1: none), new one.
  func update(
    _ block: Range<Int>, _ centres: Matrix<Double>, _ table: CentreTable, moves: CentreMoves?,
    changed: (_ row: Int, _ old: Int32, _ new: Int32) -> Void
  ) {
    guard let moves else {
      for row in 0..<block.count { rows[block.lowerBound + row] = Int32(row) }
      return compare(block, count: block.count, centres, table, changed: changed)
    }
    let start = block.lowerBound
    let active = points.points.withUnsafeElements { elements in
      points.errors.withUnsafeBufferPointer { errors in
        ckernels_kmeans_active(
          elements.baseAddress! + start * table.dimensions, table.dimensions, block.count,
          labelled.baseAddress! + start, upper.baseAddress! + start, lower.baseAddress! + start, moves.own,
          moves.others, table.apart, table.rows, table.errors, errors.baseAddress! + start,
          rows.baseAddress! + start)
      }
    }
    compare(block, count: active, centres, table, changed: changed)
  }

  /// Compares the listed points of a block with every centre.
  private func compare(
    _ block: Range<Int>, count: Int, _ centres: Matrix<Double>, _ table: CentreTable,
    changed: (_ row: Int, _ old: Int32, _ new: Int32) -> Void
  ) {
    guard count > 0 else { return }
    let start = block.lowerBound
    points.points.withUnsafeElements { elements in
      withUnsafeTemporaryAllocation(
        of: Float.self, capacity: KMeansLanes * table.dimensions
      ) { scratch in
        ckernels_nearest_two(
          elements.baseAddress! + start * table.dimensions, table.dimensions, rows.baseAddress! + start,
          count, table.groups, table.offsets, table.groupCount, scratch.baseAddress,
          nearest.baseAddress! + start, best.baseAddress! + start, second.baseAddress! + start)
      }
    }
    let found = points.errors.withUnsafeBufferPointer { pointErrors in
      points.squaredNorms.withUnsafeBufferPointer { norms in
        ckernels_kmeans_bounds(
          rows.baseAddress! + start, count, nearest.baseAddress! + start, labelled.baseAddress! + start,
          norms.baseAddress! + start, pointErrors.baseAddress! + start, table.errors,
          best.baseAddress! + start, second.baseAddress! + start, upper.baseAddress! + start,
          lower.baseAddress! + start, open.baseAddress! + start)
      }
    }
    for index in start..<start &+ found {
      let position = start &+ Int(open[index])
      let row = start &+ Int(rows[position])
      let cluster = second[position] < 0 ? decide(row, centres) : nearest[position]
      let old = labelled[row]
      if cluster != old {
        labelled[row] = cluster
        changed(row, old, cluster)
      }
    }
  }

  /// The nearest centre of a point in Double, for points that single precision cannot tell; the lower one of
  /// two at the same distance. Sets the bounds.
  private func decide(_ row: Int, _ centres: Matrix<Double>) -> Int32 {
    let p = centres.columnCount
    var (lowest, next, cluster) = (Double.infinity, Double.infinity, 0)
    features.withUnsafeElements { x in
      centres.withUnsafeElements { c in
        for candidate in 0..<centres.rowCount {
          let square = squaredDistance(x.baseAddress! + row * p, c.baseAddress! + candidate * p, p)
          if square < lowest {
            (lowest, next, cluster) = (square, lowest, candidate)
          } else if square < next {
            next = square
          }
        }
      }
    }
    upper[row] = Float(lowest.squareRoot() * points.scale) * Self.up
    lower[row] = Float(next.squareRoot() * points.scale) * Self.down
    return Int32(cluster)
  }
}

/// How far centres moved in an iteration, scaled like the points and rounded up.
struct CentreMoves {
  /// How far each centre moved.
  private(set) var own: [Float]
  /// How far the farthest of the other centres moved.
  private(set) var others: [Float]
  /// The sum of the squared moves, unscaled.
  let squaredSum: Double

  init(from old: Matrix<Double>, to new: Matrix<Double>, scale: Double) {
    let p = old.columnCount
    let squares = old.withUnsafeElements { old in
      new.withUnsafeElements { new in
        (0..<new.count / max(1, p)).map {
          squaredDistance(old.baseAddress! + $0 * p, new.baseAddress! + $0 * p, p)
        }
      }
    }
    squaredSum = squares.reduce(0, +)
    own = squares.map { Float($0.squareRoot() * scale) * (1 + 1e-6) + 1e-30 }
    var (first, next, farthest) = (Float(0), Float(0), -1)
    for (cluster, move) in own.enumerated() {
      if move > first {
        (first, next, farthest) = (move, first, cluster)
      } else if move > next {
        next = move
      }
    }
    others = own.indices.map { $0 == farthest ? next : first }
  }
}
