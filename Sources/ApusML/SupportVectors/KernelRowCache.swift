import ApusLinearAlgebra

/// Rows of a kernel matrix, computed when first asked for and kept while there is room.
///
/// What is thrown out when there is none is decided by second chance: the first row, going round, that was
/// not asked for since the last round.
struct KernelRowCache {
  private let kernel: KernelFunction
  private let points: Matrix<Float>
  private let rows: [Int]
  private let source: Source
  private let width: Int
  private let capacity: Int
  private let memory: KernelRowMemory
  private var slotOfRow: [Int32]
  private var rowOfSlot: [Int32] = []
  private var wasUsed: [Bool] = []
  private var hand = 0

  /// What rows are made of.
  private enum Source {
    case points(KernelTable)
    case products(KernelProducts, runs: [Range<Int>])
  }

  /// - Parameters:
  ///   - rows: the points of the problem.
  ///   - products: those of all points, where they are known.
  ///   - byteLimit: the memory that kept rows may take; two rows always have room.
  init(
    _ kernel: KernelFunction, points: Matrix<Float>, rows: [Int], products: KernelProducts? = nil,
    byteLimit: Int, memory: KernelRowMemory
  ) {
    self.kernel = kernel
    self.points = points
    self.rows = rows
    if let products {
      source = .products(products, runs: KernelProducts.runs(rows.map { products.places[$0] }))
    } else {
      source = .points(KernelTable(points, rows: rows))
    }
    width = KernelTable.Layout(count: rows.count, dimensions: points.columnCount).paddedCount
    capacity = min(rows.count, max(2, byteLimit / (4 * max(1, width))))
    self.memory = memory
    memory.reserve(capacity * width)
    slotOfRow = [Int32](repeating: -1, count: rows.count)
    rowOfSlot.reserveCapacity(capacity)
  }

  /// A number of megabytes in bytes; more than any machine has is a number that can still be reckoned with.
  static func bytes(megabytes: Double) -> Int { Int(min(megabytes * 1_048_576, 0x1p60)) }

  /// k(x, x) of each point.
  var diagonal: [Float] {
    points.withUnsafeElements { points in
      rows.map { kernel.diagonal(points.baseAddress! + $0 * self.points.columnCount) }
    }
  }

  /// A row of the kernel matrix; valid until the second next call for another row.
  mutating func row(_ index: Int) -> UnsafePointer<Float> {
    var slot = Int(slotOfRow[index])
    if slot < 0 {
      slot = freeSlot()
      slotOfRow[index] = Int32(slot)
      rowOfSlot[slot] = Int32(index)
      compute(rows[index], into: memory.base + slot * width)
    }
    wasUsed[slot] = true
    last = slot
    return UnsafePointer(memory.base + slot * width)
  }

  private var last = -1

  private func compute(_ row: Int, into values: UnsafeMutablePointer<Float>) {
    switch source {
    case .points(let table):
      points.withUnsafeElements { elements in
        table.row(kernel, elements.baseAddress! + row * points.columnCount, into: values)
      }
    case .products(let products, let runs):
      products.row(kernel, products.places[row], runs, into: values)
    }
  }

  private mutating func freeSlot() -> Int {
    if rowOfSlot.count < capacity {
      rowOfSlot.append(-1)
      wasUsed.append(false)
      return rowOfSlot.count - 1
    }
    while wasUsed[hand] || hand == last {
      wasUsed[hand] = false
      hand = (hand + 1) % capacity
    }
    slotOfRow[Int(rowOfSlot[hand])] = -1
    return hand
  }
}

/// The memory of a ``KernelRowCache``, which outlives it so that the next problem finds its pages in place.
///
/// Unchecked Sendable: used by one problem, and so by one thread, at a time.
final class KernelRowMemory: @unchecked Sendable {
  private(set) var base: UnsafeMutablePointer<Float>
  private var capacity = 0

  init() { base = .allocate(capacity: 1) }

  deinit { base.deallocate() }

  func reserve(_ count: Int) {
    guard count > capacity else { return }
    base.deallocate()
    base = .allocate(capacity: count)
    capacity = count
  }
}
