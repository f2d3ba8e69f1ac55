import ApusLinearAlgebra
import ApusParallel

/// The centres that ``KMeans`` found.
public struct KMeansModel: ClusteringModel {
  /// The centres, `k × p`.
  public let centres: Matrix<Double>
  /// The weighted sum of the squared distances of the training rows to their centres.
  public let inertia: Double
  /// The number of training rows of positive weight in each cluster.
  public let clusterSizes: [Int]
  /// How the kept run ended; the residual is the last sum of the centres' squared moves. Nil where
  /// ``MiniBatchKMeans`` was asked for all its batches.
  public let convergence: Convergence?

  /// The number of features, `p`.
  public var featureCount: Int { centres.columnCount }

  /// The number of the nearest centre of each row; the lower one of two at the same distance.
  ///
  /// - Complexity: O(n · k · p).
  public func assignClusters(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    try checkFeatures(features)
    try features.requireFinite(for: KMeans.name)
    let points = try ScaledPoints(features, around: centres, compute)
    let table = CentreTable(clusterCount: centres.rowCount, dimensions: featureCount)
    table.update(to: centres, points: points)
    let assignments = ClusterAssignments(points: points, features: features)
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1024)
    try compute.forEach(blocks.count) { block in
      try compute.cancellation.check()
      assignments.assignAll(blocks[block], centres, table)
    }
    return assignments.labels
  }

  /// The weighted sum over the rows of the squared distance to the nearest centre.
  public func inertia(
    _ features: Matrix<Double>, weights: [Double]?, _ compute: ComputeContext
  ) throws -> Double {
    let labels = try assignClusters(features, compute)
    return try squaredDistanceSum(features, to: centres, labels: labels, weights: weights, compute)
  }
}

/// Σ wᵢ‖xᵢ − c(i)‖² over the rows, each with the centre of its label.
func squaredDistanceSum(
  _ features: Matrix<Double>, to centres: Matrix<Double>, labels: [Int32], weights: [Double]?,
  _ compute: ComputeContext
) throws -> Double {
  let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 4096)
  let p = features.columnCount
  let parts = try compute.map(blocks.count) { block in
    features.withUnsafeElements { x in
      centres.withUnsafeElements { c in
        var sum = 0.0
        for row in blocks[block] {
          let square = squaredDistance(x.baseAddress! + row &* p, c.baseAddress! + Int(labels[row]) &* p, p)
          sum += square * (weights?[row] ?? 1)
        }
        return sum
      }
    }
  }
  return parts.reduce(0, +)
}

/// ‖a − b‖² in Double.
@inline(__always)
func squaredDistance(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
  var sum = 0.0
  for index in 0..<count {
    let difference = a[index] - b[index]
    sum += difference * difference
  }
  return sum
}
