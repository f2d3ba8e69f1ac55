import ApusLinearAlgebra
import ApusParallel
import CKernels
import Foundation

/// Chooses rows as first centres.
struct CentreSeeding {
  private let points: ScaledPoints
  private let weights: [Float]?
  private let blocks: RowBlocks

  init(points: ScaledPoints, weights: [Double]?) {
    self.points = points
    let largest = weights?.max() ?? 1
    self.weights = weights.map { all in all.map { Float($0 / largest) } }
    blocks = RowBlocks(rowCount: points.points.rowCount, minimumSize: 1024)
  }

  /// Different rows at random, in proportion to their weights.
  func chooseRandom(_ count: Int, seed: Seed) -> [Int] {
    var random = seed.randomSource()
    guard let weights else { return Array(random.permutation(points.points.rowCount).prefix(count)) }
    // The smallest of exponential waiting times with the weights as rates (Efraimidis and Spirakis, 2006).
    let times = weights.map { -log(1 - random.uniform()) / Double($0) }
    return Array(times.indices.sorted { (times[$0], $0) < (times[$1], $1) }.prefix(count))
  }

  /// Greedy k-means++: each row is drawn in proportion to its squared distance to the nearest one chosen
  /// before; of a few draws the one that leaves the least sum of squared distances is kept.
  func chooseSpread(_ count: Int, seed: Seed, _ compute: ComputeContext) throws -> [Int] {
    let n = points.points.rowCount
    let trials = min(32, 2 + Int(log(Double(count))))
    // Two sets of distances, so that the kept candidate's become the current ones without a copy.
    var current = [Float](repeating: .infinity, count: n)
    var shrunk = [Float](repeating: 0, count: trials * n)
    let first = draw(current.map { _ in 1 }, blockTotals: nil, seed.derived("centre", 0).randomSource(), 1)
    var chosen = first
    var totals = try shrink(&shrunk, current, candidates: first, compute)[0]
    current.replaceSubrange(0..<n, with: shrunk[0..<n])
    while chosen.count < count {
      let random = seed.derived("centre", chosen.count).randomSource()
      let candidates = draw(current, blockTotals: totals, random, trials)
      let potentials = try shrink(&shrunk, current, candidates: candidates, compute)
      let sums = potentials.map { $0.reduce(0, +) }
      let kept = sums.indices.min { (sums[$0], $0) < (sums[$1], $1) }!
      chosen.append(candidates[kept])
      totals = potentials[kept]
      current.withUnsafeMutableBufferPointer { current in
        shrunk.withUnsafeBufferPointer { shrunk in
          current.baseAddress!.update(from: shrunk.baseAddress! + kept * n, count: n)
        }
      }
    }
    return chosen
  }

  /// Draws rows in proportion to weight times `squares`; in proportion to the weight alone where all rows lie
  /// on centres.
  private func draw(
    _ squares: [Float], blockTotals: [Double]?, _ random: RandomSource, _ count: Int
  ) -> [Int] {
    var random = random
    let totals = blockTotals ?? blocks.map { block in block.reduce(0) { $0 + mass($1, squares) } }
    let total = totals.reduce(0, +)
    guard total > 0 else {
      return draw(squares.map { _ in 1 }, blockTotals: nil, random, count)
    }
    return (0..<count).map { _ in
      var left = random.uniform() * total
      var block = 0
      while block < totals.count - 1, left >= totals[block] {
        left -= totals[block]
        block += 1
      }
      while block > 0, totals[block] == 0 { block -= 1 }
      var last = blocks[block].lowerBound
      for row in blocks[block] {
        let mass = mass(row, squares)
        guard mass > 0 else { continue }
        last = row
        left -= mass
        if left < 0 { break }
      }
      return last
    }
  }

  @inline(__always)
  private func mass(_ row: Int, _ squares: [Float]) -> Double {
    Double(squares[row]) * Double(weights?[row] ?? 1)
  }

  /// For each candidate row, the squared distances to the nearest centre if it became one, and their weighted
  /// sums by block.
  private func shrink(
    _ shrunk: inout [Float], _ current: [Float], candidates: [Int], _ compute: ComputeContext
  ) throws -> [[Double]] {
    let n = points.points.rowCount
    let p = points.points.columnCount
    let centres = points.points.gatheringRows(candidates)
    let sums = try shrunk.withUnsafeMutableBufferPointer { shrunk in
      // Blocks write disjoint rows of each candidate's distances.
      nonisolated(unsafe) let shrunk = shrunk.baseAddress!
      return try compute.map(blocks.count) { block -> [Double] in
        try compute.cancellation.check()
        let rows = blocks[block]
        var potentials = [Double](repeating: 0, count: candidates.count)
        points.points.withUnsafeElements { elements in
          centres.withUnsafeElements { centres in
            current.withUnsafeBufferPointer { current in
              withUnsafeTemporaryAllocation(of: Float.self, capacity: KMeansLanes * p) {
                let scratch = $0.baseAddress
                func call(_ weights: UnsafePointer<Float>?) {
                  ckernels_kmeans_candidates(
                    elements.baseAddress! + rows.lowerBound * p, p, rows.count, centres.baseAddress,
                    candidates.count, current.baseAddress! + rows.lowerBound, weights,
                    shrunk + rows.lowerBound, n, scratch, &potentials)
                }
                if let weights {
                  weights.withUnsafeBufferPointer { call($0.baseAddress! + rows.lowerBound) }
                } else {
                  call(nil)
                }
              }
            }
          }
        }
        return potentials
      }
    }
    return candidates.indices.map { candidate in sums.map { $0[candidate] } }
  }
}

extension RowBlocks {
  /// The results of a function of each block's rows, in order.
  func map<Result>(_ transform: (Range<Int>) -> Result) -> [Result] {
    (0..<count).map { transform(self[$0]) }
  }
}
