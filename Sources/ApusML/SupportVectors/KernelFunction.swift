import ApusLinearAlgebra
import ApusParallel
import CKernels

/// A kernel with all its numbers settled, and what is done to features before single precision takes them.
///
/// Points are multiplied with √γ, and for the radial kernel, which does not mind, moved around their mean:
/// so neither a large offset nor a large unit costs digits.
struct KernelFunction: Sendable, Codable {
  let kernel: SupportVectorKernel
  let gamma: Double
  let constant: Double
  let degree: Int
  /// What is subtracted from each column.
  let shift: [Double]

  init(
    _ kernel: SupportVectorKernel, gamma: KernelGamma, constant: Double, degree: Int,
    features: Matrix<Double>
  ) {
    let (p, n) = (features.columnCount, Double(features.rowCount))
    var means = [Double](repeating: 0, count: p)
    var (mean, square) = (0.0, 0.0)
    features.withUnsafeElements { elements in
      means.withUnsafeMutableBufferPointer { means in
        for row in 0..<features.rowCount {
          for column in 0..<p { means[column] += elements[row &* p &+ column] / n }
        }
      }
      for value in means { mean += value / Double(p) }
      for element in elements { square += (element - mean) * (element - mean) }
    }
    self.kernel = kernel
    self.gamma = gamma.resolved(featureCount: p, variance: square / n / Double(p))
    self.constant = constant
    self.degree = degree
    shift = kernel == .rbf ? means : [Double](repeating: 0, count: p)
  }

  /// The factor of the points.
  private var scale: Double { kernel == .linear ? 1 : gamma.squareRoot() }

  /// Features as the kernel takes them.
  func points(_ features: Matrix<Double>) -> Matrix<Float> {
    let (p, scale) = (features.columnCount, self.scale)
    return features.withUnsafeElements { source in
      Matrix(rowCount: features.rowCount, columnCount: p) { target in
        shift.withUnsafeBufferPointer { shift in
          for row in 0..<features.rowCount {
            for column in 0..<p {
              let index = row &* p &+ column
              target[index] = Float((source[index] - shift[column]) * scale)
            }
          }
        }
      }
    }
  }

  /// k(x, x) of a point.
  func diagonal(_ point: UnsafePointer<Float>) -> Float {
    if kernel == .rbf { return 1 }
    var square: Float = 0
    for column in shift.indices { square += point[column] * point[column] }
    switch kernel {
    case .rbf: return 1
    case .linear: return square
    case .polynomial:
      return (0..<degree).reduce(1) { power, _ in power * (square + Float(constant)) }
    case .sigmoid:
      var value: Float = 0
      withUnsafeTemporaryAllocation(of: Float.self, capacity: shift.count * SVMLanes + SVMLanes) { scratch in
        let table = KernelTable.Layout(count: 1, dimensions: shift.count)
        table.fill(scratch.baseAddress!, from: point, rows: [0])
        row(point, scratch.baseAddress!, table, into: scratch.baseAddress! + shift.count * SVMLanes)
        value = scratch[shift.count * SVMLanes]
      }
      return value
    }
  }

  /// k(x, t) for every point t of a table.
  func row(
    _ x: UnsafePointer<Float>, _ table: UnsafePointer<Float>, _ layout: KernelTable.Layout,
    into row: UnsafeMutablePointer<Float>
  ) {
    ckernels_svm_row(
      table, layout.dimensions, layout.blocks, x, kernel.number, Float(constant), Int32(degree), row)
  }
}

extension SupportVectorKernel {
  fileprivate var number: Int32 {
    switch self {
    case .linear: Int32(SVMLinear)
    case .polynomial: Int32(SVMPolynomial)
    case .rbf: Int32(SVMRadial)
    case .sigmoid: Int32(SVMSigmoid)
    }
  }
}

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
}
