import ApusParallel
import CKernels
import Foundation
import Testing

/// The best split of a node is that of a comparison of all splits, whatever way the kernel goes about it.
@Suite struct SplitKernelTests {
  /// A node's rows on one feature.
  private struct Node {
    var codes: [UInt16]
    var sums: [Int64]
    var weights: [Double]
    var missingCode: Int32
    var limits: forest_leaf_limits

    var lowest: Int32 { Int32(codes.min()!) }
    var highest: Int32 { Int32(codes.max()!) }

    /// Weights are whole, so that sums do not depend on the order.
    init(_ random: inout RandomSource, rows: Int, codeCount: Int, hasMissing: Bool, leastRows: Int32) {
      missingCode = hasMissing ? Int32(codeCount) : -1
      codes = (0..<rows).map { _ in
        UInt16(hasMissing && random.uniform() < 0.2 ? codeCount : random.integer(below: codeCount))
      }
      let weights = (0..<rows).map { _ in Double(1 + random.integer(below: 3)) }
      self.weights = weights
      sums = weights.map { Int64(random.integer(below: 1_000_000)) * Int64($0) }
      limits = forest_leaf_limits(rows: leastRows, weight: Double(leastRows))
    }

    /// What the rows that `isLeft` names gain beside the others; nil when that is not allowed.
    func decrease(criterion: Int32, _ isLeft: (UInt16) -> Bool) -> Double? {
      let left = codes.indices.filter { isLeft(codes[$0]) }
      guard left.count >= limits.rows, codes.count - left.count >= limits.rows else { return nil }
      let (sum, total) = (Double(left.reduce(0) { $0 + sums[$1] }), Double(sums.reduce(0, +)))
      let (weight, all) = (left.reduce(0) { $0 + weights[$1] }, weights.reduce(0, +))
      guard weight >= limits.weight, all - weight >= limits.weight else { return nil }
      guard criterion == 1 else {
        return sum * sum / weight + (total - sum) * (total - sum) / (all - weight) - total * total / all
      }
      func term(_ sum: Double, _ weight: Double) -> Double {
        sum > 0 ? sum * log(sum / weight) : -.infinity
      }
      let gain = term(sum, weight) + term(total - sum, all - weight) - term(total, all)
      return gain > -.infinity ? max(gain, 0) : nil
    }

    /// The best of all splits, by comparing them.
    func best(criterion: Int32) -> Double? {
      let known = Set(codes).filter { Int32($0) != missingCode }
      let sides = codes.contains { Int32($0) == missingCode } ? [false, true] : [false]
      return sides.flatMap { missingLeft in
        known.compactMap { last in
          decrease(criterion: criterion) { Int32($0) == missingCode ? missingLeft : $0 <= last }
        }
      }.max()
    }

    /// The kernel's answer.
    func split(criterion: Int32) -> forest_split {
      var room = forest_scratch()
      func array<Element>(_ type: Element.Type) -> UnsafeMutablePointer<Element> {
        .allocate(capacity: 8_192)
      }
      (room.cell_sums, room.cell_weights, room.cell_rows) = (
        array(Int64.self), array(Double.self), array(Int32.self)
      )
      (room.sums, room.weights, room.scores) = (array(Double.self), array(Double.self), array(Int64.self))
      (room.order, room.order_buffer) = (array(UInt64.self), array(UInt64.self))
      defer {
        for pointer in [
          UnsafeMutableRawPointer(room.cell_sums!), UnsafeMutableRawPointer(room.cell_weights),
          UnsafeMutableRawPointer(room.cell_rows), UnsafeMutableRawPointer(room.sums),
          UnsafeMutableRawPointer(room.weights), UnsafeMutableRawPointer(room.scores),
          UnsafeMutableRawPointer(room.order), UnsafeMutableRawPointer(room.order_buffer),
        ] { pointer?.deallocate() }
      }
      var best = forest_split()
      // The kernel may read some codes more than there are.
      forest_regression_split(
        criterion, codes + [UInt16](repeating: 7, count: 32), Int64(codes.count), lowest, highest, sums,
        weights,
        Double(sums.reduce(0, +)), weights.reduce(0, +), missingCode, limits, &room, &best)
      return best
    }
  }

  @Test(arguments: [Int32(0), 1], [false, true])
  func theBestSplitIsFound(criterion: Int32, hasMissing: Bool) throws {
    var random = Seed(UInt64(criterion) + (hasMissing ? 7 : 3)).randomSource()
    var refused = 0
    for rows in [2, 3, 4, 5, 8, 9, 16, 17, 24, 32, 33, 40, 100, 300] {
      for codeCount in [2, 5, 40, 250, 1_500, 5_000] {
        for leastRows in [Int32(1), 2, 5] {
          let node = Node(
            &random, rows: rows, codeCount: codeCount, hasMissing: hasMissing, leastRows: leastRows)
          guard node.lowest < node.highest else { continue }
          let split = node.split(criterion: criterion)
          guard let best = node.best(criterion: criterion) else {
            #expect(split.decrease < 0, "\(node)")
            refused += 1
            continue
          }
          let found = node.decrease(criterion: criterion) {
            Int32($0) == node.missingCode ? split.missing_left == 1 : Int32($0) <= split.last_left
          }
          let scale = 1e-9 * max(abs(best), node.sums.reduce(0) { $0 + Double($1) * 1e-3 })
          #expect(abs(split.decrease - best) <= scale, "\(rows) rows of \(codeCount) codes")
          #expect(abs(try #require(found) - best) <= scale, "\(rows) rows of \(codeCount) codes")
          #expect(node.codes.contains { Int32($0) == split.last_left })
          #expect((split.missing_left >= 0) == (node.highest == node.missingCode))
        }
      }
    }
    #expect(refused > 5)
  }
}
