import ApusLinearAlgebra
import ApusParallel

/// One run of k-means from given centres to its end.
struct LloydIterations: Sendable {
  let features: Matrix<Double>
  let weights: [Double]?
  let points: ScaledPoints
  let maxIterations: Int
  /// The sum of the centres' squared moves at which the run ends.
  let shiftTolerance: Double
  let usesBounds: Bool

  func run(from start: Matrix<Double>, _ compute: ComputeContext) throws -> KMeansModel {
    let sums = ClusterSums(
      rowCount: features.rowCount, clusterCount: start.rowCount, dimensions: features.columnCount)
    let table = CentreTable(clusterCount: start.rowCount, dimensions: features.columnCount)
    let assignments = ClusterAssignments(points: points, features: features)
    var centres = start
    var moves: CentreMoves?
    var convergence = Convergence(iterations: 0, converged: false, residual: .infinity)
    while convergence.iterations < maxIterations, !convergence.converged {
      let changes = try assign(assignments, centres, table, moves, sums, compute)
      convergence.iterations += 1
      compute.progress?.advance()
      if changes == 0 {
        convergence.converged = true
        convergence.residual = 0
        break
      }
      let next = sums.centres(
        keeping: centres, features: features, weights: weights, shift: points.shift,
        labels: { assignments.labels })
      let moved = CentreMoves(from: centres, to: next, scale: points.scale)
      centres = next
      moves = moved
      convergence.residual = moved.squaredSum
      convergence.converged = moved.squaredSum <= shiftTolerance
    }
    if convergence.residual != 0 {
      // The centres moved after the last assignment, so labels are brought up to date with them.
      _ = try assign(assignments, centres, table, moves, sums, compute)
    }
    let inertia = try squaredDistanceSum(
      features, to: centres, labels: assignments.labels, weights: weights, compute)
    return KMeansModel(
      centres: centres, inertia: inertia, clusterSizes: sums.counts, convergence: convergence)
  }

  /// Assigns every row to its nearest centre and keeps the sums up to date; returns how many rows changed.
  private func assign(
    _ assignments: ClusterAssignments, _ centres: Matrix<Double>, _ table: CentreTable,
    _ moves: CentreMoves?, _ sums: ClusterSums, _ compute: ComputeContext
  ) throws -> Int {
    try compute.cancellation.check()
    table.update(to: centres, points: points)
    let moves = usesBounds ? moves : nil
    if moves != nil { table.measureGaps() }
    let p = features.columnCount
    try compute.forEach(sums.blocks.count) { block in
      let changes = sums.begin(block)
      features.withUnsafeElements { elements in
        points.shift.withUnsafeBufferPointer { shift in
          weights.withOptionalBuffer { weights in
            assignments.update(sums.blocks[block], centres, table, moves: moves) { row, old, new in
              changes.move(
                elements.baseAddress! + row &* p, shift.baseAddress!, weight: weights.map { $0[row] } ?? 1,
                from: Int(old), to: Int(new))
            }
          }
        }
      }
    }
    return sums.gather()
  }
}
