import ApusLinearAlgebra
import ApusParallel
import CKernels
import Foundation

/// A kernel with all its numbers settled, and what is done to features before single precision takes them.
///
/// Points are brought to a unit of the data's own, and for the radial and the linear kernel moved around their mean: so
/// neither a large offset nor a large unit costs digits. The radial kernel does not mind, and to the linear one it adds a
/// constant for each point, which the constraint Σ yα = 0 makes a matter of the bias. What is computed of two points, the
/// squared distance or the product, does not depend on γ, so that kernels of any γ can share it.
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
    // Sums of differences from the first row: those of a constant column are zero, and not the rounding of its mean.
    var means = [Double](repeating: 0, count: p)
    var (mean, square) = (0.0, 0.0)
    features.withUnsafeElements { elements in
      guard !elements.isEmpty else { return }
      means.withUnsafeMutableBufferPointer { means in
        for row in 0..<features.rowCount {
          for column in 0..<p { means[column] += (elements[row &* p &+ column] - elements[column]) / n }
        }
        for column in 0..<p { means[column] += elements[column] }
        for value in means { mean += (value - means[0]) / Double(p) }
        mean += means[0]
      }
      for element in elements { square += (element - mean) * (element - mean) }
    }
    let variance = square / n / Double(p)
    self.kernel = kernel
    self.gamma = gamma.resolved(featureCount: p, variance: variance)
    self.constant = constant
    self.degree = degree
    shift = kernel.isCentred ? means : [Double](repeating: 0, count: p)
    let natural = KernelGamma.scale.resolved(featureCount: p, variance: variance)
    unit = kernel == .linear || !natural.isNormal ? 1 : natural
  }

  /// The share of a kernel value that may be lost to single precision before what tells points apart is.
  private static let tolerableRounding = 0.01

  /// Checks that single precision can tell points apart that lie far from zero: products of such points are nearly
  /// equal, and powers of them keep only the digits in which they are.
  ///
  /// - Throws: ``ApusError`` of kind `numerical`.
  func requirePrecision(_ features: Matrix<Double>, estimator: String) throws {
    guard kernel == .polynomial || kernel == .sigmoid else { return }
    let (n, p) = (features.rowCount, features.columnCount)
    var (offset, spread) = (0.0, 0.0)
    for column in 0..<p {
      let values = features.column(column)
      let mean = values[0] + values.reduce(0) { $0 + ($1 - values[0]) } / Double(n)
      offset += mean * mean
      spread += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
    }
    guard spread > 0, offset.isFinite, spread.isFinite else { return }
    let power = kernel == .polynomial ? Double(degree) : 1
    guard Double(Float.ulpOfOne) * pow(offset / spread, power) > Self.tolerableRounding else { return }
    throw ApusError(
      .numerical,
      "\(estimator): the features lie so far from zero, beside how they differ, that the \(kernel.rawValue) kernel loses "
        + "what tells them apart",
      hint: "put standard-scaler before it: standard-scaler+\(estimator)")
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

  /// For each point xᵢ what moving it took from the linear kernel, (xᵢ − m)·m; nil for other kernels.
  ///
  /// The sum of these times the coefficients, which sum to zero, is part of the bias of the kernel of points as they are.
  func centring(of points: Matrix<Double>) -> [Double]? {
    guard kernel == .linear else { return nil }
    return points.withUnsafeElements { points in
      stride(from: 0, to: points.count, by: max(1, shift.count)).map { start in
        shift.indices.reduce(0) { $0 + (points[start + $1] - shift[$1]) * shift[$1] }
      }
    }
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
  /// Whether points are moved around their mean.
  fileprivate var isCentred: Bool { self == .rbf || self == .linear }

  fileprivate var number: Int32 {
    switch self {
    case .linear: Int32(SVMLinear)
    case .polynomial: Int32(SVMPolynomial)
    case .rbf: Int32(SVMRadial)
    case .sigmoid: Int32(SVMSigmoid)
    }
  }
}
