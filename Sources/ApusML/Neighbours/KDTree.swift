import ApusLinearAlgebra
import CKernels

/// Stored rows in a k-d tree (Bentley, 1975; Friedman, Bentley and Finkel, 1977): boxes within boxes, so that a search
/// leaves out most of the rows where there are few features.
///
/// The tree is balanced: the rows of a box are halved by the feature in which it is longest. Rows lie in the order of the
/// leaves, which are read from one end to the other.
struct KDTree: Sendable {
  /// A stored row and its squared distance.
  typealias Neighbour = NeighbourSearch.Neighbour

  /// The most rows of a leaf: as many as the kernel compares at a time.
  private static let leafSize = Int(NEIGHBOUR_LEAF_ROWS)

  private let columnCount: Int
  /// The elements of a corner: the columns, and zeros up to what the kernel takes at a time.
  private let cornerLength: Int
  private let rowCount: Int
  /// The number of halvings above the leaves.
  private let depth: Int
  /// The rows, leaf after leaf, of each the first column, then the second, and so on.
  private let leaves: [Double]
  /// Where each of them stands among the stored rows.
  private let rows: [Int32]
  /// For each box its lowest corner and its highest; box `i` holds boxes `2i` and `2i + 1`, the first being box 1.
  private let corners: [Double]
  /// Where each box above the leaves is halved.
  private let halvings: [Halving]

  /// Rows with a lower value in a column lie in the first half of a box, those with a higher one in the second.
  private struct Halving {
    var column = 0
    var value = 0.0
  }

  /// Builds the tree.
  ///
  /// - Complexity: O(n log n · p).
  init(_ stored: Matrix<Double>) {
    let (n, p) = (stored.rowCount, stored.columnCount)
    var depth = 0
    while (n + (1 << depth) - 1) >> depth > Self.leafSize { depth += 1 }
    var points = stored.elements
    var rows = (0..<Int32(n)).map { $0 }
    let columnsAtOnce = Int(NEIGHBOUR_BOX_COLUMNS)
    let cornerLength = (p + columnsAtOnce - 1) / columnsAtOnce * columnsAtOnce
    var corners = [Double](repeating: 0, count: (2 << depth) * 2 * cornerLength)
    var halvings = [Halving](repeating: Halving(), count: 1 << depth)
    points.withUnsafeMutableBufferPointer { points in
      rows.withUnsafeMutableBufferPointer { rows in
        corners.withUnsafeMutableBufferPointer { corners in
          let builder = Builder(
            points: points.baseAddress!, rows: rows.baseAddress!, corners: corners.baseAddress!, p: p, n: n,
            cornerLength: cornerLength)
          for level in 0...depth {
            for box in 0..<1 << level {
              let halving = builder.finish(box: box, level: level, isLeaf: level == depth)
              if let halving { halvings[1 << level + box] = halving }
            }
          }
        }
      }
    }
    (columnCount, rowCount, self.depth, self.cornerLength) = (p, n, depth, cornerLength)
    (self.rows, self.corners, self.halvings) = (rows, corners, halvings)
    leaves = Self.leaves(of: points, n, p, depth)
  }

  private static func leaves(of points: [Double], _ n: Int, _ p: Int, _ depth: Int) -> [Double] {
    var leaves = [Double](repeating: 0, count: (p * leafSize) << depth)
    for leaf in 0..<1 << depth {
      let (first, end) = (start(leaf, level: depth, n), start(leaf + 1, level: depth, n))
      for row in first..<end {
        for column in 0..<p {
          leaves[(leaf * p + column) * leafSize + row - first] = points[row * p + column]
        }
      }
    }
    return leaves
  }

  /// The number of leaves.
  var leafCount: Int { 1 << depth }

  /// The leaf on whose side of every halving a query lies: queries of one leaf look at much the same boxes.
  func leaf(of query: UnsafePointer<Double>) -> Int {
    var box = 1
    for _ in 0..<depth {
      let halving = halvings[box]
      box = 2 * box + (query[halving.column] < halving.value ? 0 : 1)
    }
    return box - leafCount
  }

  /// The first of the rows of box `index` of a level.
  @inline(__always)
  private static func start(_ index: Int, level: Int, _ n: Int) -> Int { (n &* index) >> level }

  private struct Builder {
    let points: UnsafeMutablePointer<Double>
    let rows: UnsafeMutablePointer<Int32>
    let corners: UnsafeMutablePointer<Double>
    let p: Int
    let n: Int
    let cornerLength: Int

    /// Finds the corners of a box, and halves its rows unless it is a leaf.
    func finish(box index: Int, level: Int, isLeaf: Bool) -> Halving? {
      let (start, end) = (KDTree.start(index, level: level, n), KDTree.start(index + 1, level: level, n))
      let low = corners + (1 << level + index) * 2 * cornerLength
      let high = low + cornerLength
      for column in 0..<p { (low[column], high[column]) = (.infinity, -.infinity) }
      for row in start..<end {
        for column in 0..<p {
          let value = points[row &* p &+ column]
          if value < low[column] { low[column] = value }
          if value > high[column] { high[column] = value }
        }
      }
      guard !isLeaf else { return nil }
      var longest = 0
      for column in 1..<max(1, p) where high[column] - low[column] > high[longest] - low[longest] {
        longest = column
      }
      let middle = KDTree.start(2 * index + 1, level: level + 1, n)
      select(middle, in: start..<end, by: longest)
      return Halving(column: longest, value: points[middle * p + longest])
    }

    /// Puts rows in such an order that none before a place has a larger value than any from there on (Hoare, 1961).
    private func select(_ place: Int, in range: Range<Int>, by column: Int) {
      var (low, high) = (range.lowerBound, range.upperBound - 1)
      func value(_ row: Int) -> Double { points[row &* p &+ column] }
      while low < high {
        // The middle of three, so that rows that are in order already are halved too.
        let (first, middle, last) = (value(low), value((low + high) / 2), value(high))
        let pivot = max(min(first, middle), min(max(first, middle), last))
        var (left, right) = (low, high)
        while left <= right {
          while value(left) < pivot { left += 1 }
          while value(right) > pivot { right -= 1 }
          guard left <= right else { break }
          swap(left, right)
          left += 1
          right -= 1
        }
        if place <= right {
          high = right
        } else if place >= left {
          low = left
        } else {
          return
        }
      }
    }

    private func swap(_ one: Int, _ other: Int) {
      guard one != other else { return }
      for column in 0..<p {
        let value = points[one &* p &+ column]
        points[one &* p &+ column] = points[other &* p &+ column]
        points[other &* p &+ column] = value
      }
      (rows[one], rows[other]) = (rows[other], rows[one])
    }
  }
}

extension KDTree {
  /// What a thread needs to search, used again for each query.
  struct Searcher {
    /// The nearest rows, in no order.
    fileprivate var nearest: [neighbour] = []
    /// The rows that were compared with queries.
    fileprivate(set) var comparisonCount = 0
    /// The query with zeros after it, as long as corners are.
    fileprivate var query: [Double] = []
  }

  /// The nearest rows, the nearest first and the lower row of two at the same distance: to the bit those of a comparison
  /// with every row.
  ///
  /// - Parameter count: how many; no more than there are.
  func nearest(_ count: Int, to query: UnsafePointer<Double>, _ searcher: inout Searcher) -> [Neighbour] {
    if searcher.query.count != cornerLength {
      searcher.query = [Double](repeating: 0, count: cornerLength)
    }
    for column in 0..<columnCount { searcher.query[column] = query[column] }
    if searcher.nearest.count != count {
      searcher.nearest = [neighbour](repeating: neighbour(), count: count)
    }
    leaves.withUnsafeBufferPointer { leaves in
      corners.withUnsafeBufferPointer { corners in
        rows.withUnsafeBufferPointer { rows in
          var tree = neighbour_tree(
            row_count: Int64(rowCount), column_count: Int64(columnCount),
            padded_column_count: Int64(cornerLength), depth: Int64(depth), leaves: leaves.baseAddress,
            rows: rows.baseAddress, corners: corners.baseAddress)
          searcher.comparisonCount &+= Int(
            neighbour_search(&tree, searcher.query, Int64(count), &searcher.nearest))
        }
      }
    }
    return searcher.nearest.map { Neighbour(row: Int($0.row), squaredDistance: $0.squared_distance) }
      .sorted { $0.isNearer(than: $1) }
  }
}

extension NeighbourSearch.Neighbour {
  /// Whether this one comes before another; of two at the same distance, the lower row does.
  @inline(__always)
  func isNearer(than other: Self) -> Bool {
    squaredDistance < other.squaredDistance
      || (squaredDistance == other.squaredDistance && row < other.row)
  }
}
