/// The distinct values of a column with the weight of each, and each row's position among them.
///
/// A column with few distinct values is read through a small hash table in one pass; one with many is sorted.
struct DistinctValues {
  /// The known values, ascending, each once.
  private(set) var values: [Double] = []
  /// The total weight of the rows with each value.
  private(set) var masses: [Double] = []
  /// Whether a row has no value.
  private(set) var hasMissing = false
  /// For each row the position of its value, or ``missing``; empty for a column that was sorted.
  private(set) var positions: [UInt16] = []

  static let missing = UInt16.max
  private static let tableSize = 8192
  private static let mostInTable = 2048

  init(_ column: UnsafeBufferPointer<Double>, weights: [Double]?) {
    if !readWithTable(column, weights: weights) { sort(column, weights: weights) }
  }

  private mutating func readWithTable(_ column: UnsafeBufferPointer<Double>, weights: [Double]?) -> Bool {
    let mask = Self.tableSize - 1
    var slots = [UInt16](repeating: Self.missing, count: Self.tableSize)
    var found: [Double] = []
    var foundMasses: [Double] = []
    var hasMissing = false
    var isComplete = true
    let ids = [UInt16](unsafeUninitializedCapacity: column.count) { ids, count in
      count = column.count
      slots.withUnsafeMutableBufferPointer { slots in
        rows: for row in 0..<column.count {
          // Adding zero makes the two zeros one value.
          let value = column[row] + 0
          let weight = weights.map { $0[row] } ?? 1
          guard value == value else {
            hasMissing = true
            ids[row] = Self.missing
            continue
          }
          var slot = Int(truncatingIfNeeded: (value.bitPattern &* 0x9E37_79B9_7F4A_7C15) >> 51) & mask
          while true {
            let id = slots[slot]
            if id == Self.missing {
              guard found.count < Self.mostInTable else {
                isComplete = false
                count = 0
                break rows
              }
              slots[slot] = UInt16(found.count)
              ids[row] = UInt16(found.count)
              found.append(value)
              foundMasses.append(weight)
              break
            }
            if found[Int(id)] == value {
              ids[row] = id
              foundMasses[Int(id)] += weight
              break
            }
            slot = (slot &+ 1) & mask
          }
        }
      }
    }
    guard isComplete else { return false }
    let order = found.indices.sorted { found[$0] < found[$1] }
    values = order.map { found[$0] }
    masses = order.map { foundMasses[$0] }
    self.hasMissing = hasMissing
    var ranks = [UInt16](repeating: 0, count: found.count)
    for (rank, id) in order.enumerated() { ranks[id] = UInt16(rank) }
    positions = ids.map { $0 == Self.missing ? Self.missing : ranks[Int($0)] }
    return true
  }

  private mutating func sort(_ column: UnsafeBufferPointer<Double>, weights: [Double]?) {
    hasMissing = column.contains { $0.isNaN }
    if let weights {
      let rows = column.indices.filter { !column[$0].isNaN }.sorted {
        (column[$0], $0) < (column[$1], $1)
      }
      for row in rows { add(column[row] + 0, weights[row]) }
    } else {
      for value in column.filter({ !$0.isNaN }).sorted() { add(value + 0, 1) }
    }
  }

  private mutating func add(_ value: Double, _ mass: Double) {
    if values.last == value {
      masses[masses.count - 1] += mass
    } else {
      values.append(value)
      masses.append(mass)
    }
  }
}
