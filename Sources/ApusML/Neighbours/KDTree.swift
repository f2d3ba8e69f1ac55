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
  /// The most columns, and the elements of a corner.
  static let mostColumns = Int(NEIGHBOUR_MOST_COLUMNS)
  /// Scales end here: squares of smaller differences would vanish in double precision, which scaled ones must do too.
  private static let largestScaleExponent = 400

  private let columnCount: Int
  private let rowCount: Int
  /// The number of halvings above the leaves.
  private let depth: Int
  /// The rows in the order of the leaves.
  private let points: [Double]
  /// Where each of them stands among the stored rows.
  private let rows: [Int32]
  /// What is subtracted from rows before they are scaled: the middle of them.
  private let shift: [Double]
  /// The factor that brings all rows between -1 and 1, a power of two.
  private let scale: Double
  /// The rows scaled, leaf after leaf, of each the first column, then the second, and so on.
  private let leaves: [Float]
  /// For each box its lowest corner and its highest, scaled; box `i` holds boxes `2i` and `2i + 1`, the first being box 1.
  private let corners: [Float]
  /// Where each box above the leaves is halved.
  private let halvings: [Halving]

  /// Rows with a lower value in a column lie in the first half of a box, those with a higher one in the second.
  private struct Halving {
    var column = 0
    /// Scaled, as the rows are.
    var value = Float(0)
  }

  /// Builds the tree of rows with at most ``mostColumns`` columns.
  ///
  /// - Complexity: O(n log n).
  init(_ stored: Matrix<Double>) {
    let (n, p) = (stored.rowCount, stored.columnCount)
    var depth = 0
    while (n + (1 << depth) - 1) >> depth > Self.leafSize { depth += 1 }
    let (shift, scale) = Self.middle(of: stored)
    var corners = [Float](repeating: 0, count: (2 << depth) * 2 * Self.mostColumns)
    var halvings = [Halving](repeating: Halving(), count: 1 << depth)
    var rows = [Int32](repeating: 0, count: n)
    var leaves = [Float](repeating: 0, count: (p * Self.leafSize) << depth)
    withUnsafeTemporaryAllocation(of: Builder.Row.self, capacity: n) { scaled in
      stored.withUnsafeElements { elements in
        for row in 0..<n {
          rows[row] = Int32(row)
          var point = Builder.Row()
          for column in 0..<p {
            point[column] = Float((elements[row &* p &+ column] - shift[column]) * scale)
          }
          scaled.initializeElement(at: row, to: point)
        }
      }
      rows.withUnsafeMutableBufferPointer { rows in
        corners.withUnsafeMutableBufferPointer { corners in
          let builder = Builder(
            points: scaled.baseAddress!, rows: rows.baseAddress!, corners: corners.baseAddress!, n: n)
          for level in 0...depth {
            for box in 0..<1 << level {
              builder.findCorners(ofBox: box, level: level)
              if level < depth { halvings[1 << level + box] = builder.halve(box: box, level: level) }
            }
          }
        }
      }
      for leaf in 0..<1 << depth {
        let (first, end) = (Self.start(leaf, level: depth, n), Self.start(leaf + 1, level: depth, n))
        for row in first..<end {
          for column in 0..<p {
            leaves[(leaf * p + column) * Self.leafSize + row - first] = scaled[row][column]
          }
        }
      }
    }
    (columnCount, rowCount, self.depth) = (p, n, depth)
    (self.rows, self.shift, self.scale) = (rows, shift, scale)
    (self.corners, self.halvings, self.leaves) = (corners, halvings, leaves)
    points = stored.withUnsafeElements { elements in
      [Double](unsafeUninitializedCapacity: n * p) { points, filled in
        for row in 0..<n {
          (points.baseAddress! + row * p).initialize(
            from: elements.baseAddress! + Int(rows[row]) * p, count: p)
        }
        filled = n * p
      }
    }
  }

  /// The middle of the rows' box, and the power of two that scales the half of its longest side below 1.
  private static func middle(of stored: Matrix<Double>) -> (shift: [Double], scale: Double) {
    let p = stored.columnCount
    var low = [Double](repeating: .infinity, count: p)
    var high = [Double](repeating: -.infinity, count: p)
    stored.withUnsafeElements { elements in
      for row in 0..<stored.rowCount {
        for column in 0..<p {
          low[column] = min(low[column], elements[row * p + column])
          high[column] = max(high[column], elements[row * p + column])
        }
      }
    }
    let longest = zip(low, high).map { ($1 - $0) / 2 }.max() ?? 0
    let exponent = longest.isNormal ? min(Self.largestScaleExponent, -longest.exponent - 1) : 0
    return (
      zip(low, high).map { ($0 + $1) / 2 }, Double(sign: .plus, exponent: exponent, significand: 1)
    )
  }

  /// The number of leaves.
  var leafCount: Int { 1 << depth }

  /// The leaf on whose side of every halving a query lies: queries of one leaf look at much the same boxes.
  func leaf(of query: UnsafePointer<Double>) -> Int {
    var box = 1
    for _ in 0..<depth {
      let halving = halvings[box]
      let value = Float((query[halving.column] - shift[halving.column]) * scale)
      box = 2 * box + (value < halving.value ? 0 : 1)
    }
    return box - leafCount
  }

  /// The first of the rows of box `index` of a level.
  @inline(__always)
  private static func start(_ index: Int, level: Int, _ n: Int) -> Int { (n &* index) >> level }

  private struct Builder {
    /// A scaled row, with zeros after its columns.
    typealias Row = SIMD16<Float>

    let points: UnsafeMutablePointer<Row>
    let rows: UnsafeMutablePointer<Int32>
    let corners: UnsafeMutablePointer<Float>
    let n: Int

    func findCorners(ofBox index: Int, level: Int) {
      let (start, end) = (KDTree.start(index, level: level, n), KDTree.start(index + 1, level: level, n))
      UnsafeRawPointer(points + start).withMemoryRebound(
        to: Float.self, capacity: (end - start) * KDTree.mostColumns
      ) { neighbour_corners($0, Int64(end - start), corners + place(ofBox: index, level: level)) }
    }

    /// Halves the rows of a box, whose corners are known, where it is longest.
    func halve(box index: Int, level: Int) -> Halving {
      let low = corners + place(ofBox: index, level: level)
      let sides = (0..<KDTree.mostColumns).map { low[KDTree.mostColumns + $0] - low[$0] }
      let longest = sides.indices.max { sides[$0] < sides[$1] }!
      let (start, end) = (KDTree.start(index, level: level, n), KDTree.start(index + 1, level: level, n))
      let middle = KDTree.start(2 * index + 1, level: level + 1, n)
      select(middle, in: start..<end, by: longest)
      return Halving(column: longest, value: points[middle][longest])
    }

    private func place(ofBox index: Int, level: Int) -> Int { (1 << level + index) * 2 * KDTree.mostColumns }

    /// Puts rows in such an order that none before a place has a larger value than any from there on (Hoare, 1961).
    private func select(_ place: Int, in range: Range<Int>, by column: Int) {
      var (low, high) = (range.lowerBound, range.upperBound - 1)
      func value(_ row: Int) -> Float { points[row][column] }
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
      (points[one], points[other]) = (points[other], points[one])
      (rows[one], rows[other]) = (rows[other], rows[one])
    }
  }
}

extension KDTree {
  /// What a thread needs to search, used again for each query.
  struct Searcher {
    /// The nearest rows of a query.
    fileprivate var nearest: [neighbour] = []
    /// The rows that were compared with queries.
    fileprivate(set) var comparisonCount = 0
  }

  /// The nearest rows, the nearest first and the lower row of two at the same distance: to the bit those of a comparison
  /// with every row.
  ///
  /// - Parameter count: how many; no more than there are.
  func nearest(_ count: Int, to query: UnsafePointer<Double>, _ searcher: inout Searcher) -> [Neighbour] {
    if searcher.nearest.count != count {
      searcher.nearest = [neighbour](repeating: neighbour(), count: count)
    }
    let compared = points.withUnsafeBufferPointer { points in
      leaves.withUnsafeBufferPointer { leaves in
        corners.withUnsafeBufferPointer { corners in
          rows.withUnsafeBufferPointer { rows in
            shift.withUnsafeBufferPointer { shift in
              var tree = neighbour_tree(
                row_count: Int64(rowCount), column_count: Int64(columnCount), depth: Int64(depth),
                points: points.baseAddress, rows: rows.baseAddress, shift: shift.baseAddress, scale: scale,
                leaves: leaves.baseAddress, corners: corners.baseAddress)
              return neighbour_search(&tree, query, Int64(count), &searcher.nearest)
            }
          }
        }
      }
    }
    searcher.comparisonCount &+= Int(compared)
    return searcher.nearest.map { Neighbour(row: Int($0.row), squaredDistance: $0.squared_distance) }
  }
}
