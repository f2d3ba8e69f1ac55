/// The distinct labels of a column in the order in which they came, each with a number from 0: a hash table on
/// bytes, so that a label is made into a string once and not once a row.
struct LabelTable {
  private var slots: [Int32]
  private var ends: [Int] = [0]
  private var arena: [UInt8] = []
  private var hashes: [UInt64] = []
  private var last: Int32 = -1
  /// The position in the file where each label first came.
  private(set) var firstOffsets: [Int] = []

  init() { slots = [Int32](repeating: -1, count: 64) }

  /// The number of distinct labels.
  var count: Int { hashes.count }

  /// The bytes of a label.
  func label(_ code: Int) -> ArraySlice<UInt8> { arena[ends[code]..<ends[code + 1]] }

  /// The number of a label, a new one if it comes for the first time.
  ///
  /// - Parameter offset: where it stands in the file.
  mutating func code(for label: UnsafeBufferPointer<UInt8>, at offset: Int) -> Int32 {
    if last >= 0, equals(last, label) { return last }
    last = find(label, at: offset)
    return last
  }

  private mutating func find(_ label: UnsafeBufferPointer<UInt8>, at offset: Int) -> Int32 {
    let hash = Self.hash(label)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] >= 0 {
      let code = slots[slot]
      if hashes[Int(code)] == hash, equals(code, label) { return code }
      slot = (slot + 1) & (slots.count - 1)
    }
    let code = Int32(hashes.count)
    slots[slot] = code
    hashes.append(hash)
    arena.append(contentsOf: label)
    ends.append(arena.count)
    firstOffsets.append(offset)
    if hashes.count * 2 > slots.count { grow() }
    return code
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    for (code, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(code)
    }
  }

  @inline(__always)
  private func equals(_ code: Int32, _ label: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = ends[Int(code)]
    guard ends[Int(code) + 1] - start == label.count else { return false }
    return arena.withUnsafeBufferPointer { arena in
      for index in 0..<label.count where arena[start &+ index] != label[index] { return false }
      return true
    }
  }

  /// FNV-1a, its bits mixed once more so that the low ones are good.
  private static func hash(_ label: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in label { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    return hash
  }
}
