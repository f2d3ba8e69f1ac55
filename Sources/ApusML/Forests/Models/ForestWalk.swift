import ApusLinearAlgebra
import CKernels

/// A block of rows on its way through the trees of a forest.
struct ForestWalk<Code: ForestCode> {
  private let forest: CompactForest
  private let rowCount: Int
  private var codes: [Code]
  private var leaves: [UInt64]
  /// The sums of the leaf values so far, row by row.
  private(set) var totals: [Double]

  init(_ forest: CompactForest, rowCount: Int) {
    self.forest = forest
    self.rowCount = rowCount
    codes = [Code](repeating: 0, count: rowCount * 2 * forest.featureCount)
    leaves = [UInt64](repeating: 0, count: rowCount)
    totals = [Double](repeating: 0, count: rowCount * forest.valueWidth)
  }

  /// Turns the rows' features into codes, two a feature: one whose missing values go right, one left.
  mutating func encode(_ features: Matrix<Double>) {
    let p = forest.featureCount
    features.withUnsafeElements { values in
      codes.withUnsafeMutableBufferPointer { codes in
        guard let values = values.baseAddress, let codes = codes.baseAddress else { return }
        for (feature, table) in forest.tables.enumerated() {
          if let categoryCount = table.categoryCount {
            for row in 0..<rowCount {
              let category = Int(exactly: values[row * p + feature]) ?? -1
              let isKnown = category >= 0 && category < categoryCount
              let code = Code(truncatingIfNeeded: isKnown ? category : categoryCount)
              codes[row * 2 * p + 2 * feature] = code
              codes[row * 2 * p + 2 * feature + 1] = code
            }
          } else {
            table.boundaries.elements.withUnsafeBufferPointer {
              Code.encode(
                values + feature, stride: p, count: rowCount, boundaries: $0, into: codes + 2 * feature,
                slotCount: 2 * p)
            }
          }
        }
      }
    }
  }

  /// Adds the leaf values of a tree, but for rows that are to be skipped.
  mutating func add(tree index: Int, skipping skipped: [UInt8]?, from firstRow: Int) {
    let tree = forest.trees[index]
    let count = rowCount
    let width = forest.valueWidth
    leaves.withUnsafeMutableBufferPointer { leaves in
      let leaves = leaves.baseAddress!
      tree.nodes.elements.withUnsafeBufferPointer { nodes in
        tree.sets.elements.withUnsafeBufferPointer { sets in
          Code.findLeaves(
            nodes.baseAddress!, forest.layout.forKernel, sets.isEmpty ? nil : sets.baseAddress, codes,
            slotCount: 2 * forest.featureCount, count: count, into: leaves)
        }
      }
      tree.values.elements.withUnsafeBufferPointer { values in
        totals.withUnsafeMutableBufferPointer { totals in
          func addAll(_ skipped: UnsafePointer<UInt8>?) {
            if forest.hasClasses {
              forest_add_votes(
                leaves, Int64(count), Int64(width), values.baseAddress, skipped, totals.baseAddress)
            } else {
              forest_add_values(leaves, Int64(count), values.baseAddress, skipped, totals.baseAddress)
            }
          }
          if let skipped {
            skipped.withUnsafeBufferPointer { addAll($0.baseAddress! + firstRow) }
          } else {
            addAll(nil)
          }
        }
      }
    }
  }
}
