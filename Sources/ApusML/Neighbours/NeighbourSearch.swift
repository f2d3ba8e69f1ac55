import ApusLinearAlgebra
import ApusParallel
import CKernels

/// The nearest of stored rows, by Euclidean distance.
///
/// Either of two ways gives the neighbours of a computation in Double, to the bit unless squares of differences vanish in
/// one. Where there are few features and many
/// queries, a ``KDTree`` leaves out most rows. Otherwise, matrix products in single precision, with a bound on their
/// rounding, leave a few candidates, and Double decides among these.
struct NeighbourSearch: Sendable {
  /// A stored row and its squared distance.
  struct Neighbour {
    var row: Int
    var squaredDistance: Double
  }

  private let stored: Matrix<Double>
  private let count: Int

  /// - Parameter count: how many neighbours are wanted; at most as many as there are rows.
  init(_ stored: Matrix<Double>, count: Int) {
    self.stored = stored
    self.count = count
  }

  /// Calls `body` with each query's neighbours, the nearest first and the lower row of two at the same
  /// distance; from several threads, once a query.
  ///
  /// - Complexity: O(queries · n · p), with few features O((n + queries) · log n).
  func forEach(
    _ queries: Matrix<Double>, _ compute: ComputeContext, _ body: @Sendable (Int, [Neighbour]) -> Void
  ) throws {
    let first = try searchTree(queries, compute, body)
    guard first < queries.rowCount else { return }
    let storedPoints = try ScaledPoints(stored, including: queries, compute)
    let queryPoints = try ScaledPoints(queries, like: storedPoints, compute)
    let lowered = zip(storedPoints.squaredNorms, storedPoints.errors).map { $0 - $1 }
    let blocks = RowBlocks(rowCount: queries.rowCount - first, minimumSize: 64, maximumCount: .max)
    try compute.forEach(blocks.count) { block in
      try compute.cancellation.check()
      let rows = blocks[block].lowerBound + first..<blocks[block].upperBound + first
      searchBlock(rows, queries, queryPoints, storedPoints, lowered, body)
    }
  }

  /// The most features for which a tree is tried: with more, hardly any box is far enough away.
  private static let mostTreeFeatures = KDTree.mostColumns
  /// A row that the tree compares takes as long as some ten of the matrix products.
  private static let treeFactor = 10
  /// The queries by which it is seen whether a tree serves.
  private static let probeCount = 64

  /// Searches with a tree where that is faster.
  ///
  /// - Returns: how many of the queries were answered: all, none, or the first ones, where it showed that it is not.
  private func searchTree(
    _ queries: Matrix<Double>, _ compute: ComputeContext, _ body: @Sendable (Int, [Neighbour]) -> Void
  ) throws -> Int {
    let (n, p) = (stored.rowCount, stored.columnCount)
    // Building a tree costs about as much as this many queries without one.
    guard p <= Self.mostTreeFeatures, n >= 1024, n <= Int(Int32.max), queries.rowCount >= 8 * Self.probeCount
    else { return 0 }
    // Squares that overflow are all the same distance away, which products in a common scale are not.
    let isModerate = { (elements: UnsafeBufferPointer<Double>) in elements.allSatisfy { abs($0) < 1e150 } }
    guard stored.withUnsafeElements(isModerate), queries.withUnsafeElements(isModerate) else { return 0 }
    let tree = KDTree(stored)
    @Sendable func search(_ rows: some Sequence<Int>) -> Int {
      var searcher = KDTree.Searcher()
      queries.withUnsafeElements { queries in
        for row in rows { body(row, tree.nearest(count, to: queries.baseAddress! + row * p, &searcher)) }
      }
      return searcher.comparisonCount
    }
    let comparisons = search(0..<Self.probeCount)
    guard comparisons / Self.probeCount * Self.treeFactor < n else { return Self.probeCount }
    let rest = try Self.inTreeOrder(Self.probeCount..<queries.rowCount, of: queries, tree, compute)
    let blocks = RowBlocks(rowCount: rest.count, minimumSize: 64, maximumCount: .max)
    try compute.forEach(blocks.count) { block in
      try compute.cancellation.check()
      _ = search(rest[blocks[block]])
    }
    return queries.rowCount
  }

  /// Queries in the order of the tree's leaves, so that each finds in the cache what the one before it has looked at.
  private static func inTreeOrder(
    _ rows: Range<Int>, of queries: Matrix<Double>, _ tree: KDTree, _ compute: ComputeContext
  ) throws -> [Int] {
    let p = queries.columnCount
    let blocks = RowBlocks(rowCount: rows.count, minimumSize: 1024, maximumCount: .max)
    let leaves = try compute.map(blocks.count) { block in
      queries.withUnsafeElements { queries in
        blocks[block].map { tree.leaf(of: queries.baseAddress! + (rows.lowerBound + $0) * p) }
      }
    }.flatMap { $0 }
    // The place of each leaf's first query, and then of its next one.
    var places = [Int](repeating: 0, count: tree.leafCount + 1)
    for leaf in leaves { places[leaf + 1] += 1 }
    for leaf in 0..<tree.leafCount { places[leaf + 1] += places[leaf] }
    var ordered = [Int](repeating: 0, count: rows.count)
    for (index, leaf) in leaves.enumerated() {
      ordered[places[leaf]] = rows.lowerBound + index
      places[leaf] += 1
    }
    return ordered
  }

  /// The stored rows that are compared with a block of queries at a time.
  private static let chunk = 1024

  private func searchBlock(
    _ block: Range<Int>, _ queries: Matrix<Double>, _ queryPoints: ScaledPoints, _ storedPoints: ScaledPoints,
    _ lowered: [Float], _ body: (Int, [Neighbour]) -> Void
  ) {
    let p = stored.columnCount
    let n = stored.rowCount
    var candidates = block.map { _ in Candidates(count: count) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: block.count * Self.chunk) { products in
      for start in stride(from: 0, to: n, by: Self.chunk) {
        let length = min(Self.chunk, n - start)
        queryPoints.points.withUnsafeElements { queries in
          storedPoints.points.withUnsafeElements { stored in
            BLAS.gemm(
              transposeB: true, m: block.count, n: length, k: p, alpha: -2,
              a: queries.baseAddress! + block.lowerBound * p, aStride: p,
              b: stored.baseAddress! + start * p, bStride: p, c: products.baseAddress!, cStride: length)
          }
        }
        lowered.withUnsafeBufferPointer { lowered in
          storedPoints.errors.withUnsafeBufferPointer { errors in
            for (position, query) in block.enumerated() {
              candidates[position].consider(
                products.baseAddress! + position * length, lowered.baseAddress! + start,
                errors.baseAddress! + start, length, first: start, queryError: queryPoints.errors[query])
            }
          }
        }
      }
    }
    for (position, query) in block.enumerated() {
      body(query, exactNeighbours(of: queries, query, among: candidates[position].rows))
    }
  }

  private func exactNeighbours(
    of queries: Matrix<Double>, _ query: Int, among rows: [Int]
  ) -> [Neighbour] {
    let p = stored.columnCount
    let all = queries.withUnsafeElements { queries in
      stored.withUnsafeElements { stored in
        rows.map {
          Neighbour(
            row: $0,
            squaredDistance: squaredDistance(
              queries.baseAddress! + query * p, stored.baseAddress! + $0 * p, p))
        }
      }
    }
    return Array(
      all.sorted { ($0.squaredDistance, $0.row) < ($1.squaredDistance, $1.row) }.prefix(count))
  }
}

/// The stored rows that may be among the nearest of one query.
private struct Candidates {
  private let count: Int
  private var found: [(row: Int, lower: Float)] = []
  /// The smallest upper bounds so far, the largest of them last; `count` of them at most.
  private var uppers: [Float] = []
  /// No row whose lower bound is above it can be among the nearest.
  private var limit = Float.infinity

  init(count: Int) {
    self.count = count
    uppers.reserveCapacity(count + 1)
  }

  /// The rows that are left.
  var rows: [Int] { found.filter { !($0.lower > limit) }.map(\.row) }

  /// - Parameters:
  ///   - products: −2 q·t for a run of stored rows t.
  ///   - lowered: ‖t‖² less its rounding share.
  ///   - errors: the rounding shares.
  mutating func consider(
    _ products: UnsafePointer<Float>, _ lowered: UnsafePointer<Float>, _ errors: UnsafePointer<Float>,
    _ length: Int, first: Int, queryError: Float
  ) {
    var index = -1
    while true {
      index = Int(neighbour_next_candidate(products, lowered, Int64(index + 1), Int64(length), limit))
      guard index < length else { break }
      let lower = products[index] + lowered[index]
      found.append((first + index, lower))
      let upper = lower + 2 * errors[index]
      if uppers.count < count || upper < uppers[uppers.count - 1] {
        let place = uppers.firstIndex { upper < $0 } ?? uppers.count
        uppers.insert(upper, at: place)
        if uppers.count > count { uppers.removeLast() }
        if uppers.count == count { limit = uppers[count - 1] + 2 * queryError }
      }
    }
    if found.count > 8 * count + 64 {
      let limit = limit
      found.removeAll { $0.lower > limit }
    }
  }
}
