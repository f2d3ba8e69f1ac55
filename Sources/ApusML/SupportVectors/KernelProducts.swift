import ApusLinearAlgebra
import ApusParallel
import CKernels

/// What kernels of any γ share: the squared distances, or the products, of all pairs of points.
///
/// A row of a kernel matrix is made of them in a tenth of the time that it takes to make it of points. They are worth
/// their own time to several fits; one alone wants too few of the rows (of digits it took twice as long with them).
struct KernelProducts: Sendable {
  /// So many points at most: the matrix takes 64 MiB.
  static let mostPoints = 4096

  /// The place of each row of the data in the matrix.
  let places: [Int]
  private let products: Matrix<Float>

  /// - Parameters:
  ///   - order: the points by which rows and columns go: those of a class stand together.
  /// - Throws: ``ApusError`` of kind `cancelled`.
  init(
    _ kernel: KernelFunction, _ points: Matrix<Float>, order: [Int], _ compute: ComputeContext
  ) throws {
    var places = [Int](repeating: 0, count: points.rowCount)
    for (place, row) in order.enumerated() { places[row] = place }
    self.places = places
    let table = KernelTable(points, rows: order)
    let ordered = points.gatheringRows(order)
    let (count, width, p) = (order.count, table.layout.paddedCount, points.columnCount)
    let blocks = (count + SVMLanes - 1) / SVMLanes
    products = try ordered.withUnsafeElements { x in
      try Matrix(rowCount: count, columnCount: width) { target in
        nonisolated(unsafe) let (x, target) = (x.baseAddress!, target.baseAddress!)
        try compute.forEach(blocks) { block in
          try compute.cancellation.check()
          let first = block * SVMLanes
          table.products(
            kernel, x + first * p, count: min(SVMLanes, count - first), into: target + first * width,
            stride: width)
        }
      }
    }
  }

  /// Writes the kernel values of a point and chosen others.
  ///
  /// - Parameters:
  ///   - place: the point's place in the matrix.
  ///   - runs: the others' places, as runs of them.
  func row(
    _ kernel: KernelFunction, _ place: Int, _ runs: [Range<Int>], into row: UnsafeMutablePointer<Float>
  ) {
    products.withUnsafeElements { elements in
      let products = elements.baseAddress! + place * products.columnCount
      var filled = 0
      for run in runs {
        kernel.values(products + run.lowerBound, count: run.count, into: row + filled)
        filled += run.count
      }
    }
  }
}

extension KernelProducts {
  /// Places as runs of such as follow each other.
  static func runs(_ places: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for place in places {
      if let last = runs.last, last.upperBound == place {
        runs[runs.count - 1] = last.lowerBound..<place + 1
      } else {
        runs.append(place..<place + 1)
      }
    }
    return runs
  }
}
