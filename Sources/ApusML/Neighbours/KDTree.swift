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
    points.withUnsafeMutableBufferPointer { points in
      rows.withUnsafeMutableBufferPointer { rows in
        corners.withUnsafeMutableBufferPointer { corners in
          var builder = Builder(
            points: points.baseAddress!, rows: rows.baseAddress!, corners: corners.baseAddress!, p: p, n: n,
            cornerLength: cornerLength)
          for level in 0...depth {
            for box in 0..<1 << level { builder.finish(box: box, level: level, isLeaf: level == depth) }
          }
        }
      }
    }
    (columnCount, rowCount, self.depth, self.cornerLength) = (p, n, depth, cornerLength)
    (self.rows, self.corners) = (rows, corners)
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

    /// Finds the corners of a box, and halves its rows.
    mutating func finish(box index: Int, level: Int, isLeaf: Bool) {
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
      guard !isLeaf else { return }
      var longest = 0
      for column in 1..<max(1, p) where high[column] - low[column] > high[longest] - low[longest] {
        longest = column
      }
      select(KDTree.start(2 * index + 1, level: level + 1, n), in: start..<end, by: longest)
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
    fileprivate var waiting: [(box: Int, level: Int, distance: Double)] = []
    /// The nearest rows so far as a heap, the farthest of them first.
    fileprivate var heap: [Neighbour] = []
    /// The rows that were compared with queries.
    fileprivate(set) var comparisonCount = 0
    fileprivate var distances = [Double](repeating: 0, count: leafSize)
    /// The query with zeros after it, as long as corners are.
    fileprivate var query: [Double] = []
  }

  /// The nearest rows, the nearest first and the lower row of two at the same distance: to the bit those of a comparison
  /// with every row.
  func nearest(_ count: Int, to query: UnsafePointer<Double>, _ searcher: inout Searcher) -> [Neighbour] {
    let p = columnCount
    // A box is as far away as rounding lets it be; a row in it may be a little nearer.
    let margin = 1 - Double(8 * (p + 4)) * .ulpOfOne
    if searcher.query.count != cornerLength {
      searcher.query = [Double](repeating: 0, count: cornerLength)
    }
    for column in 0..<p { searcher.query[column] = query[column] }
    searcher.heap.removeAll(keepingCapacity: true)
    searcher.waiting.removeAll(keepingCapacity: true)
    searcher.waiting.append((0, 0, 0))
    leaves.withUnsafeBufferPointer { leaves in
      corners.withUnsafeBufferPointer { corners in
        while let (box, level, distance) = searcher.waiting.popLast() {
          if searcher.heap.count == count, distance * margin > searcher.heap[0].squaredDistance { continue }
          if level == depth {
            let (start, end) = (
              Self.start(box, level: level, rowCount), Self.start(box + 1, level: level, rowCount)
            )
            searcher.comparisonCount &+= end - start
            neighbour_leaf_distances(
              query, leaves.baseAddress! + box &* p &* Self.leafSize, Int64(p), &searcher.distances)
            for row in start..<end {
              let found = searcher.distances[row &- start]
              if searcher.heap.count == count, found > searcher.heap[0].squaredDistance { continue }
              searcher.offer(Neighbour(row: Int(rows[row]), squaredDistance: found), count)
            }
            continue
          }
          neighbour_box_distances(
            searcher.query, corners.baseAddress! + (2 << level + 2 * box) * 2 * cornerLength,
            Int64(cornerLength), &searcher.distances)
          let (left, right) = (searcher.distances[0], searcher.distances[1])
          // The nearer one is taken first.
          if left <= right {
            searcher.waiting.append((2 * box + 1, level + 1, right))
            searcher.waiting.append((2 * box, level + 1, left))
          } else {
            searcher.waiting.append((2 * box, level + 1, left))
            searcher.waiting.append((2 * box + 1, level + 1, right))
          }
        }
      }
    }
    return searcher.heap.sorted { $0.isNearer(than: $1) }
  }
}

extension KDTree.Searcher {
  /// Takes a row that is among the nearest so far.
  @inline(__always)
  fileprivate mutating func offer(_ neighbour: KDTree.Neighbour, _ count: Int) {
    if heap.count < count {
      heap.append(neighbour)
      var place = heap.count - 1
      while place > 0, heap[(place - 1) / 2].isNearer(than: heap[place]) {
        heap.swapAt(place, (place - 1) / 2)
        place = (place - 1) / 2
      }
    } else if neighbour.isNearer(than: heap[0]) {
      heap[0] = neighbour
      var place = 0
      while true {
        var farthest = place
        for child in 2 * place + 1..<min(2 * place + 3, max(count, 2 * place + 1))
        where heap[farthest].isNearer(than: heap[child]) { farthest = child }
        if farthest == place { return }
        heap.swapAt(place, farthest)
        place = farthest
      }
    }
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
