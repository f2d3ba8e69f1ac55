import ApusLinearAlgebra
import ApusParallel
import CKernels

/// The problem of two classes in an ``SVC``: rows of the first class, then rows of the second.
struct SupportVectorPair: Sendable {
  let estimator: SVC
  let kernel: KernelFunction
  let points: Matrix<Float>
  /// The products of all points, where they are known.
  let products: KernelProducts?
  /// The rows of both classes.
  let rows: [Int]
  /// How many of the rows are of the first class.
  let firstCount: Int
  let weights: [Double]?
  /// The memory for kernel rows.
  let byteLimit: Int
  /// Divides the rows into the folds of the calibration.
  let seed: Seed

  /// The folds of the calibration.
  static let calibrationFolds = 5

  /// Solves the problem of all rows.
  func solve(_ memory: KernelRowMemory, _ cancellation: Cancellation) throws -> SupportVectorSolution {
    try solve(Array(rows.indices), memory, cancellation)
  }

  /// The decision values that a fit on the other folds gives the rows of a fold, and how it ended.
  struct HeldOut: Sendable {
    /// Positions among the pair's rows.
    var positions: [Int]
    var values: [Double]
    /// Nil where there was nothing to fit.
    var convergence: Convergence?
  }

  /// One of the fits that a pair needs.
  enum Part: Sendable {
    /// That of all rows.
    case whole(SupportVectorSolution)
    /// One of the calibration's.
    case heldOut(HeldOut)
  }

  /// The values of one fold of the calibration, by a fit on the rows of the others.
  func heldOutValues(
    fold: Int, _ memory: KernelRowMemory, _ cancellation: Cancellation
  ) throws -> HeldOut {
    var random = seed.randomSource()
    let order = random.permutation(rows.count)
    let held =
      fold * rows.count / Self.calibrationFolds..<(fold + 1) * rows.count / Self.calibrationFolds
    let kept = (order[..<held.lowerBound] + order[held.upperBound...]).sorted()
    var result = HeldOut(positions: Array(order[held]), values: [])
    guard !held.isEmpty, !kept.isEmpty else {
      result.values = [Double](repeating: 0, count: held.count)
      return result
    }
    let firstKept = kept.prefix { $0 < firstCount }.count
    guard firstKept > 0, firstKept < kept.count else {
      result.values = [Double](repeating: firstKept > 0 ? 1 : -1, count: held.count)
      return result
    }
    let solution = try solve(kept, memory, cancellation)
    result.convergence = solution.convergence
    let table = KernelTable(points, rows: kept.map { rows[$0] })
    withUnsafeTemporaryAllocation(of: Float.self, capacity: table.layout.paddedCount) { kernelRow in
      points.withUnsafeElements { elements in
        for position in result.positions {
          let point = elements.baseAddress! + rows[position] * points.columnCount
          table.row(kernel, point, into: kernelRow.baseAddress!)
          result.values.append(
            ckernels_svm_dot(kernelRow.baseAddress!, solution.coefficients, kept.count) + solution.bias)
        }
      }
    }
    return result
  }

  /// The fit of all rows, and a sigmoid fitted to the values of rows that were held out, where there are such.
  func combining(
    _ parts: some Sequence<Part>
  ) -> (solution: SupportVectorSolution, calibration: PlattCalibration?) {
    var whole = SupportVectorSolution(
      coefficients: [], bias: 0, convergence: Convergence(iterations: 0, converged: true, residual: 0))
    var values = [Double](repeating: 0, count: rows.count)
    var (ends, isCalibrated) = ([Convergence](), false)
    for part in parts {
      switch part {
      case .whole(let solution): whole = solution
      case .heldOut(let fold):
        isCalibrated = true
        for (position, value) in zip(fold.positions, fold.values) { values[position] = value }
        if let convergence = fold.convergence { ends.append(convergence) }
      }
    }
    guard isCalibrated else { return (whole, nil) }
    whole.convergence = Convergence(combining: [whole.convergence] + ends)
    return (whole, PlattCalibration(values: values, isFirst: rows.indices.map { $0 < firstCount }))
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
    let cache = KernelRowCache(
      kernel, points: points, rows: chosen, products: products, byteLimit: byteLimit, memory: memory)
    return try problem.solve(cache, cancellation)
  }
}
