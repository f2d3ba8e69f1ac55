import ApusLinearAlgebra
import ApusParallel
import CKernels

/// The problem of two classes in an ``SVC``: rows of the first class, then rows of the second.
struct SupportVectorPair: Sendable {
  let estimator: SVC
  let kernel: KernelFunction
  let points: Matrix<Float>
  /// The rows of both classes.
  let rows: [Int]
  /// How many of the rows are of the first class.
  let firstCount: Int
  let weights: [Double]?
  /// The memory for kernel rows.
  let byteLimit: Int

  /// Solves the problem of all rows.
  func solve(_ memory: KernelRowMemory, _ cancellation: Cancellation) throws -> SupportVectorSolution {
    try solve(Array(rows.indices), memory, cancellation)
  }

  /// Fits a sigmoid to the decision values that five fits give the rows they did not see; also returns how each
  /// of the fits ended.
  func calibrate(
    _ seed: Seed, _ memory: KernelRowMemory, _ cancellation: Cancellation
  ) throws -> (calibration: PlattCalibration, ends: [Convergence]) {
    var random = seed.randomSource()
    let order = random.permutation(rows.count)
    var values = [Double](repeating: 0, count: rows.count)
    let foldCount = 5
    var ends: [Convergence] = []
    for fold in 0..<foldCount {
      let held = fold * rows.count / foldCount..<(fold + 1) * rows.count / foldCount
      let kept = (order[..<held.lowerBound] + order[held.upperBound...]).sorted()
      guard !held.isEmpty, !kept.isEmpty else { continue }
      let firstKept = kept.prefix { $0 < firstCount }.count
      guard firstKept > 0, firstKept < kept.count else {
        for position in order[held] { values[position] = firstKept > 0 ? 1 : -1 }
        continue
      }
      let solution = try solve(kept, memory, cancellation)
      ends.append(solution.convergence)
      let table = KernelTable(points, rows: kept.map { rows[$0] })
      withUnsafeTemporaryAllocation(of: Float.self, capacity: table.layout.paddedCount) { kernelRow in
        points.withUnsafeElements { elements in
          for position in order[held] {
            let point = elements.baseAddress! + rows[position] * points.columnCount
            table.row(kernel, point, into: kernelRow.baseAddress!)
            values[position] =
              ckernels_svm_dot(kernelRow.baseAddress!, solution.coefficients, kept.count) + solution.bias
          }
        }
      }
    }
    return (PlattCalibration(values: values, isFirst: rows.indices.map { $0 < firstCount }), ends)
  }

  private func solve(
    _ positions: [Int], _ memory: KernelRowMemory, _ cancellation: Cancellation
  ) throws -> SupportVectorSolution {
    let chosen = positions.map { rows[$0] }
    let signs = positions.map { $0 < firstCount ? 1.0 : -1 }
    let problem = SupportVectorProblem(
      signs: signs, values: signs, bounds: chosen.map { estimator.c * (weights?[$0] ?? 1) },
      tolerance: estimator.tolerance,
      maxIterations: estimator.maxIterations ?? max(10_000_000, 100 * chosen.count), estimator: SVC.name)
    let cache = KernelRowCache(kernel, points: points, rows: chosen, byteLimit: byteLimit, memory: memory)
    return try problem.solve(cache, cancellation)
  }
}
