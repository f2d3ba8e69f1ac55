import CKernels

/// The integers in which the codes of rows are kept while a forest predicts.
protocol ForestCode: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable {
  /// Writes the codes of one numeric feature.
  static func encode(
    _ values: UnsafePointer<Double>, stride: Int, count: Int, boundaries: UnsafeBufferPointer<Double>,
    into codes: UnsafeMutablePointer<Self>, slotCount: Int)

  /// Finds the value of the leaf of each row.
  static func findLeaves(
    _ nodes: UnsafePointer<UInt64>, _ layout: forest_layout, _ sets: UnsafePointer<UInt64>?,
    _ codes: UnsafePointer<Self>, slotCount: Int, count: Int, into leaves: UnsafeMutablePointer<UInt64>)
}

extension UInt8: ForestCode {
  static func encode(
    _ values: UnsafePointer<Double>, stride: Int, count: Int, boundaries: UnsafeBufferPointer<Double>,
    into codes: UnsafeMutablePointer<UInt8>, slotCount: Int
  ) {
    forest_encode_8(
      values, Int64(stride), Int64(count), boundaries.baseAddress, Int64(boundaries.count), codes,
      Int64(slotCount))
  }

  static func findLeaves(
    _ nodes: UnsafePointer<UInt64>, _ layout: forest_layout, _ sets: UnsafePointer<UInt64>?,
    _ codes: UnsafePointer<UInt8>, slotCount: Int, count: Int, into leaves: UnsafeMutablePointer<UInt64>
  ) { forest_leaves_8(nodes, layout, sets, codes, Int64(slotCount), Int64(count), leaves) }
}

extension UInt16: ForestCode {
  static func encode(
    _ values: UnsafePointer<Double>, stride: Int, count: Int, boundaries: UnsafeBufferPointer<Double>,
    into codes: UnsafeMutablePointer<UInt16>, slotCount: Int
  ) {
    forest_encode_16(
      values, Int64(stride), Int64(count), boundaries.baseAddress, Int64(boundaries.count), codes,
      Int64(slotCount))
  }

  static func findLeaves(
    _ nodes: UnsafePointer<UInt64>, _ layout: forest_layout, _ sets: UnsafePointer<UInt64>?,
    _ codes: UnsafePointer<UInt16>, slotCount: Int, count: Int, into leaves: UnsafeMutablePointer<UInt64>
  ) { forest_leaves_16(nodes, layout, sets, codes, Int64(slotCount), Int64(count), leaves) }
}

extension UInt32: ForestCode {
  static func encode(
    _ values: UnsafePointer<Double>, stride: Int, count: Int, boundaries: UnsafeBufferPointer<Double>,
    into codes: UnsafeMutablePointer<UInt32>, slotCount: Int
  ) {
    forest_encode_32(
      values, Int64(stride), Int64(count), boundaries.baseAddress, Int64(boundaries.count), codes,
      Int64(slotCount))
  }

  static func findLeaves(
    _ nodes: UnsafePointer<UInt64>, _ layout: forest_layout, _ sets: UnsafePointer<UInt64>?,
    _ codes: UnsafePointer<UInt32>, slotCount: Int, count: Int, into leaves: UnsafeMutablePointer<UInt64>
  ) { forest_leaves_32(nodes, layout, sets, codes, Int64(slotCount), Int64(count), leaves) }
}
