import ApusLinearAlgebra
import ApusParallel
import CKernels

/// A kernel with all its numbers settled, and what is done to features before single precision takes them.
///
/// Points are brought to a unit of the data's own, and for the radial kernel, which does not mind, moved around their
/// mean: so neither a large offset nor a large unit costs digits. What is computed of two points, the squared distance or
/// the product, does not depend on γ, so that kernels of any γ can share it.
struct KernelFunction: Sendable, Codable {
  let kernel: SupportVectorKernel
  let gamma: Double
  let constant: Double
  let degree: Int
  /// What is subtracted from each column.
  let shift: [Double]
  /// The square of what points are multiplied by.
  let unit: Double

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
    let variance = square / n / Double(p)
    self.kernel = kernel
    self.gamma = gamma.resolved(featureCount: p, variance: variance)
    self.constant = constant
    self.degree = degree
    shift = kernel == .rbf ? means : [Double](repeating: 0, count: p)
    let natural = KernelGamma.scale.resolved(featureCount: p, variance: variance)
    unit = kernel == .linear || !natural.isNormal ? 1 : natural
  }

  private enum CodingKeys: String, CodingKey { case kernel, gamma, constant, degree, shift, unit }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    kernel = try container.decode(SupportVectorKernel.self, forKey: .kernel)
    gamma = try container.decode(Double.self, forKey: .gamma)
    constant = try container.decode(Double.self, forKey: .constant)
    degree = try container.decode(Int.self, forKey: .degree)
    shift = try container.decode([Double].self, forKey: .shift)
    // Models were saved without a unit while points were multiplied with √γ.
    unit = try container.decodeIfPresent(Double.self, forKey: .unit) ?? (kernel == .linear ? 1 : gamma)
  }

  /// γ for points in their unit; so large or small that single precision has no such number, it is the last it has.
  private var factor: Float { min(Float(gamma / unit), .greatestFiniteMagnitude) }

  /// Features as the kernel takes them.
  func points(_ features: Matrix<Double>) -> Matrix<Float> {
    let (p, scale) = (features.columnCount, unit.squareRoot())
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
    // In a vector of its own, as the rows of the kernel matrix are computed.
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: (shift.count + 1) * SVMLanes) { scratch in
      let table = KernelTable.Layout(count: 1, dimensions: shift.count)
      table.fill(scratch.baseAddress!, from: point, rows: [0])
      row(point, scratch.baseAddress!, table, into: scratch.baseAddress! + shift.count * SVMLanes)
      return scratch[shift.count * SVMLanes]
    }
  }

  /// k(x, t) for every point t of a table.
  func row(
    _ x: UnsafePointer<Float>, _ table: UnsafePointer<Float>, _ layout: KernelTable.Layout,
    into row: UnsafeMutablePointer<Float>
  ) {
    ckernels_svm_row(
      table, layout.dimensions, layout.blocks, x, kernel.number, factor, Float(constant), Int32(degree), row)
  }

  /// The products of several points with every point of a table, in rows of ``KernelTable/Layout/paddedCount``.
  func products(
    _ points: UnsafePointer<Float>, count: Int, _ table: UnsafePointer<Float>, _ layout: KernelTable.Layout,
    into products: UnsafeMutablePointer<Float>, stride: Int
  ) {
    ckernels_svm_products(
      table, layout.dimensions, layout.blocks, points, count, kernel == .rbf ? 1 : 0, products, stride)
  }

  /// Writes the kernel values of products, which may stand in the same place.
  func values(
    _ products: UnsafePointer<Float>, count: Int, into values: UnsafeMutablePointer<Float>
  ) {
    ckernels_svm_values(products, count, kernel.number, factor, Float(constant), Int32(degree), values)
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
