import ApusParallel
import CKernels

/// How the nodes of a forest are packed into 64 bits each; see `forest_layout`.
struct NodeLayout: Sendable, Hashable, Codable {
  let offsetBits: Int
  let slotBits: Int

  /// A layout for trees of up to `leafCount` leaves.
  ///
  /// - Throws: ``ApusError`` of kind `unsupported` for data too large for the packing, a terabyte and more.
  init(leafCount: Int, featureCount: Int, valueCount: Int) throws {
    func bits(_ largest: Int) -> Int { Int.bitWidth - largest.leadingZeroBitCount }
    offsetBits = bits(2 * leafCount)
    slotBits = bits(2 * featureCount)
    guard 62 - offsetBits - slotBits >= max(32, bits(valueCount)) else {
      throw ApusError(
        .unsupported, "a forest cannot be grown on \(leafCount) rows of \(featureCount) features",
        hint: "use fewer rows for each tree (maxSamples) or fewer features")
    }
  }

  var forKernel: forest_layout {
    forest_layout(offset_bits: Int32(offsetBits), slot_bits: Int32(slotBits))
  }

  var codeShift: Int { 2 + offsetBits + slotBits }

  /// A leaf; its value is a class, or a position in the tree's table.
  func leaf(value: UInt64) -> UInt64 { value << UInt64(codeShift) }

  /// A split whose right child's distance is filled in later; slot 2f compares feature f with missing values
  /// going right, slot 2f + 1 with missing values going left.
  func split(slot: Int, code: UInt64, isCategorical: Bool) -> UInt64 {
    code << UInt64(codeShift) | UInt64(slot) << UInt64(2 + offsetBits) | (isCategorical ? 3 : 1)
  }

  /// The distance to the right child, in its place.
  func offset(_ distance: Int) -> UInt64 { UInt64(distance) << 2 }

  func isSplit(_ node: UInt64) -> Bool { node & 1 != 0 }
  func isCategorical(_ node: UInt64) -> Bool { node & 2 != 0 }
  func offset(of node: UInt64) -> Int { Int(node >> 2 & (1 << UInt64(offsetBits) - 1)) }
  func slot(of node: UInt64) -> Int { Int(node >> UInt64(2 + offsetBits) & (1 << UInt64(slotBits) - 1)) }
  func feature(of node: UInt64) -> Int { slot(of: node) / 2 }
  func code(of node: UInt64) -> UInt64 { node >> UInt64(codeShift) }
}
