import ApusLinearAlgebra
import ApusParallel
import CKernels

/// Points moved and scaled so that single precision serves them well: around the origin, within [-1, 1], with
/// a bound on what rounding does to their distances.
///
/// The scale is a power of two, so it changes no digit.
struct ScaledPoints: Sendable {
  /// The points, `n × p`.
  let points: Matrix<Float>
  /// ‖x‖² of each point.
  let squaredNorms: [Float]
  /// Each point's share of the rounding of a squared distance.
  let errors: [Float]
  /// What was subtracted from each column.
  let shift: [Double]
  /// What the differences were multiplied with.
  let scale: Double
  /// The mean over the columns of their variance, unscaled.
  let meanVariance: Double

  /// How much of ‖x‖² + ‖c‖² the computed squared distance may be wrong by: a sum of p products, rounded
  /// inputs, and a margin of two.
  static func relativeError(_ dimensions: Int) -> Float { Float(2 * dimensions + 16) * 0x1p-24 }

  /// Scales points around their mean.
  init(centring features: Matrix<Double>, _ compute: ComputeContext) throws {
    let p = features.columnCount
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1024)
    let n = Double(max(1, features.rowCount))
    let mean = try Self.columnSums(features, blocks, compute) { value, _ in value }.map { $0 / n }
    let variances = try Self.columnSums(features, blocks, compute) { value, column in
      (value - mean[column]) * (value - mean[column])
    }
    try self.init(
      features, shift: mean, including: nil, meanVariance: variances.reduce(0, +) / n / Double(max(1, p)),
      blocks, compute)
  }

  /// Scales points around the mean of centres that they are to be compared with.
  init(_ features: Matrix<Double>, around centres: Matrix<Double>, _ compute: ComputeContext) throws {
    let blocks = RowBlocks(rowCount: centres.rowCount, minimumSize: 1024)
    let k = Double(centres.rowCount)
    let mean = try Self.columnSums(centres, blocks, compute) { value, _ in value }.map { $0 / k }
    try self.init(
      features, shift: mean, including: centres, meanVariance: 0,
      RowBlocks(rowCount: features.rowCount, minimumSize: 1024), compute)
  }

  /// Scales points around their mean so that others, which they are to be compared with, fit in too.
  init(_ features: Matrix<Double>, including others: Matrix<Double>, _ compute: ComputeContext) throws {
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1024)
    let n = Double(max(1, features.rowCount))
    let mean = try Self.columnSums(features, blocks, compute) { value, _ in value }.map { $0 / n }
    try self.init(features, shift: mean, including: others, meanVariance: 0, blocks, compute)
  }

  /// Moves and scales points as others were.
  init(_ features: Matrix<Double>, like other: ScaledPoints, _ compute: ComputeContext) throws {
    try self.init(
      features, shift: other.shift, scale: other.scale, meanVariance: other.meanVariance,
      RowBlocks(rowCount: features.rowCount, minimumSize: 1024), compute)
  }

  private init(
    _ features: Matrix<Double>, shift: [Double], including others: Matrix<Double>?, meanVariance: Double,
    _ blocks: RowBlocks, _ compute: ComputeContext
  ) throws {
    let largest = try Self.largestMagnitude(features, shift, compute)
    let largestOther = try others.map { try Self.largestMagnitude($0, shift, compute) } ?? 0
    try self.init(
      features, shift: shift, scale: Self.scale(for: max(largest, largestOther)), meanVariance: meanVariance,
      blocks, compute)
  }

  private init(
    _ features: Matrix<Double>, shift: [Double], scale: Double, meanVariance: Double, _ blocks: RowBlocks,
    _ compute: ComputeContext
  ) throws {
    let p = features.columnCount
    self.shift = shift
    self.scale = scale
    self.meanVariance = meanVariance
    let factor = Self.relativeError(p)
    let norms = UnsafeMutableBufferPointer<Float>.allocate(capacity: features.rowCount)
    defer { norms.deallocate() }
    // Distinct rows are written by distinct blocks.
    nonisolated(unsafe) let normsBase = norms.baseAddress
    points = try Matrix<Float>(rowCount: features.rowCount, columnCount: p) { target in
      nonisolated(unsafe) let target = target
      try compute.forEach(blocks.count) { block in
        let rows = blocks[block]
        features.withUnsafeElements { source in
          ckernels_kmeans_scale(
            source.baseAddress! + rows.lowerBound * p, rows.count, p, shift, scale,
            target.baseAddress! + rows.lowerBound * p, normsBase! + rows.lowerBound)
        }
      }
    }
    squaredNorms = Array(norms)
    // The last term covers what is too small for a normal single-precision number.
    errors = norms.map { $0 * factor + 1e-30 }
  }

  /// The power of two that brings a magnitude to [0.5, 1).
  private static func scale(for magnitude: Double) -> Double {
    guard magnitude.isNormal else { return 1 }
    return Double(sign: .plus, exponent: min(1000, -magnitude.exponent - 1), significand: 1)
  }

  private static func largestMagnitude(
    _ features: Matrix<Double>, _ shift: [Double], _ compute: ComputeContext
  ) throws -> Double {
    let p = features.columnCount
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1024)
    return try compute.map(blocks.count) { block in
      features.withUnsafeElements { elements in
        let rows = blocks[block]
        return ckernels_kmeans_reach(elements.baseAddress! + rows.lowerBound * p, rows.count, p, shift)
      }
    }.max() ?? 0
  }

  /// Σ over the rows of a function of each element, by column, block after block.
  @inline(__always)
  private static func columnSums(
    _ features: Matrix<Double>, _ blocks: RowBlocks, _ compute: ComputeContext,
    _ term: @Sendable (Double, Int) -> Double
  ) throws -> [Double] {
    let p = features.columnCount
    let parts = try compute.map(blocks.count) { block in
      var sums = [Double](repeating: 0, count: p)
      features.withUnsafeElements { elements in
        sums.withUnsafeMutableBufferPointer { sums in
          for row in blocks[block] {
            for column in 0..<p { sums[column] += term(elements[row &* p &+ column], column) }
          }
        }
      }
      return sums
    }
    return parts.reduce(into: [Double](repeating: 0, count: p)) { total, part in
      for column in 0..<p { total[column] += part[column] }
    }
  }
}
