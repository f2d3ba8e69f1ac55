import ApusLinearAlgebra
import CKernels

/// Centres as the kernels want them: scaled like the points, once row by row and once negated in groups, with
/// the numbers that bound what rounding does to distances.
///
/// Unchecked Sendable: updated by one thread while no other reads.
final class CentreTable: @unchecked Sendable {
  let clusterCount: Int
  let dimensions: Int
  let groupCount: Int
  /// The centres row by row, `k × p`.
  private(set) var rows: [Float]
  /// The negated centres, dimension by dimension within groups of `KMeansCentreGroup`.
  private(set) var groups: [Float]
  /// ‖c‖²/2 less the rounding share, so that scores are lower bounds; infinite for padding.
  private(set) var offsets: [Float]
  /// Each centre's share of the rounding of a squared distance.
  private(set) var errors: [Float]
  /// A lower bound of half the distance from each centre to the nearest other one.
  private(set) var apart: [Float]
  private var squaredNorms: [Float]

  init(clusterCount: Int, dimensions: Int) {
    self.clusterCount = clusterCount
    self.dimensions = dimensions
    let group = KMeansCentreGroup
    groupCount = (clusterCount + group - 1) / group
    rows = [Float](repeating: 0, count: clusterCount * dimensions)
    groups = [Float](repeating: 0, count: groupCount * group * dimensions)
    offsets = [Float](repeating: .infinity, count: groupCount * group)
    errors = [Float](repeating: 0, count: clusterCount)
    apart = [Float](repeating: 0, count: clusterCount)
    squaredNorms = errors
  }

  /// Takes new centres.
  func update(to centres: Matrix<Double>, points: ScaledPoints) {
    let group = KMeansCentreGroup
    let factor = ScaledPoints.relativeError(dimensions)
    centres.withUnsafeElements { centres in
      for cluster in 0..<clusterCount {
        var norm = 0.0
        let base = (cluster / group * dimensions) * group + cluster % group
        for column in 0..<dimensions {
          let value = (centres[cluster * dimensions + column] - points.shift[column]) * points.scale
          norm += value * value
          rows[cluster * dimensions + column] = Float(value)
          groups[base + column * group] = Float(-value)
        }
        squaredNorms[cluster] = Float(norm)
        errors[cluster] = Float(norm) * factor
        offsets[cluster] = (Float(norm) - errors[cluster]) / 2
      }
    }
  }

  /// Finds how far apart the centres are.
  func measureGaps() {
    let count = clusterCount
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { nearest in
      withUnsafeTemporaryAllocation(
        of: Float.self, capacity: 2 * count + KMeansLanes * dimensions
      ) { floats in
        let best = floats.baseAddress!
        let second = best + count
        ckernels_nearest_two(
          rows, dimensions, nil, count, groups, offsets, groupCount, second + count, nearest.baseAddress,
          best, second)
        for cluster in 0..<count {
          let square = squaredNorms[cluster] + 2 * second[cluster] - errors[cluster] - 1e-30
          // A centre that is not its own nearest one lies upon another.
          let isAlone = nearest[cluster] == Int32(cluster) && square > 0
          apart[cluster] = isAlone ? square.squareRoot() * (0.5 - 1e-6) : 0
        }
      }
    }
  }
}
