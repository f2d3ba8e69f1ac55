import ApusLinearAlgebra
import CKernels

/// Points laid out in blocks, dimension by dimension, for rows of the kernel matrix.
struct KernelTable: Sendable {
  /// The sizes of a table.
  struct Layout: Sendable {
    let count: Int
    let dimensions: Int

    /// The number of blocks; the last one is padded with its first point.
    var blocks: Int { (count + SVMLanes - 1) / SVMLanes }
    /// The number of kernel values that a row has with the padding.
    var paddedCount: Int { blocks * SVMLanes }
    /// The number of elements.
    var elementCount: Int { paddedCount * dimensions }

    /// Lays out chosen rows of points.
    func fill(_ table: UnsafeMutablePointer<Float>, from points: UnsafePointer<Float>, rows: [Int]) {
      for position in 0..<paddedCount {
        let point = points + rows[position < count ? position : position / SVMLanes * SVMLanes] * dimensions
        let base = table + position / SVMLanes * SVMLanes * dimensions + position % SVMLanes
        for column in 0..<dimensions { base[column &* SVMLanes] = point[column] }
      }
    }
  }

  let layout: Layout
  private let elements: Matrix<Float>

  /// Lays out chosen rows of points.
  init(_ points: Matrix<Float>, rows: [Int]) {
    let layout = Layout(count: rows.count, dimensions: points.columnCount)
    self.layout = layout
    elements = points.withUnsafeElements { points in
      Matrix(rowCount: 1, columnCount: layout.elementCount) { table in
        guard let table = table.baseAddress, layout.elementCount > 0 else { return }
        layout.fill(table, from: points.baseAddress!, rows: rows)
      }
    }
  }

  /// Writes k(x, t) for every point of the table, ``Layout/paddedCount`` values.
  func row(_ kernel: KernelFunction, _ x: UnsafePointer<Float>, into row: UnsafeMutablePointer<Float>) {
    elements.withUnsafeElements { kernel.row(x, $0.baseAddress!, layout, into: row) }
  }

  /// Writes k(x, t) for several points and every point of the table, in rows of ``Layout/paddedCount`` values: to the bit
  /// those of ``row(_:_:into:)``, and sooner.
  func rows(
    _ kernel: KernelFunction, _ points: UnsafePointer<Float>, count: Int,
    into rows: UnsafeMutablePointer<Float>
  ) {
    let width = layout.paddedCount
    elements.withUnsafeElements {
      kernel.products(points, count: count, $0.baseAddress!, layout, into: rows, stride: width)
    }
    kernel.values(rows, count: count * width, into: rows)
  }

  /// Writes the products of several points with every point of the table, in rows of `stride` numbers.
  func products(
    _ kernel: KernelFunction, _ points: UnsafePointer<Float>, count: Int,
    into products: UnsafeMutablePointer<Float>, stride: Int
  ) {
    elements.withUnsafeElements {
      kernel.products(points, count: count, $0.baseAddress!, layout, into: products, stride: stride)
    }
  }
}
