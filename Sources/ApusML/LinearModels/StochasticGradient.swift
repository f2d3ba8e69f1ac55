import ApusLinearAlgebra
import ApusParallel
import Foundation

/// Stochastic gradient descent for one linear function, a row or a small batch of rows at a time in an order
/// shuffled for each epoch.
///
/// Rows are read where they lie, so features may be a mapped file larger than memory: runs of neighbouring rows
/// come one after the other, shuffled within, so that the file is read in long stretches.
struct StochasticGradient: Sendable {
  let features: Matrix<Double>
  /// The number to predict, or 1 and −1 for two classes.
  let target: [Double]
  let weights: [Double]?
  let loss: StochasticLoss
  let penalty: StochasticPenalty
  let schedule: LearningRate
  let fitIntercept: Bool
  /// The rows of a step, at most as many as there are.
  let batchSize: Int
  let averages: Bool
  let tolerance: Double?
  let maximumEpochs: Int

  /// The steps before the averaged ones: the first epoch's, whose long steps may lead far off. Where there is one
  /// epoch only, all are averaged.
  private var stepsBeforeAverage: Int {
    maximumEpochs > 1 ? (features.rowCount + batchSize - 1) / batchSize : 0
  }

  /// Epochs without progress that end the descent.
  private static let patience = 5
  /// The order within a run of so many rows is shuffled, and the order of the runs; a run is made of whole batches.
  private var runLength: Int { max(1024 / batchSize * batchSize, batchSize) }

  /// Descends from zero.
  ///
  /// - Throws: ``ApusError`` of kind `numerical` when the steps grow without bound, `cancelled`.
  func descend(
    seed: Seed, name: String, _ compute: ComputeContext
  ) throws -> (coefficients: [Double], intercept: Double, convergence: Convergence?) {
    let (n, p, runLength) = (features.rowCount, features.columnCount, self.runLength)
    var state = StochasticState(featureCount: p, batchSize: batchSize)
    var (best, stale, epoch, mean) = (Double.infinity, 0, 0, Double.infinity)
    while epoch < maximumEpochs {
      try compute.cancellation.check()
      var random = seed.derived("epoch", epoch).randomSource()
      let runs = (n + runLength - 1) / runLength
      var sum = 0.0
      features.withUnsafeElements { x in
        for run in random.permutation(runs) {
          let first = run * runLength
          let order = random.permutation(min(runLength, n - first))
          if batchSize == 1 {
            for index in order { sum += step(&state, x.baseAddress! + (first + index) * p, first + index) }
            continue
          }
          order.withUnsafeBufferPointer { order in
            for start in stride(from: 0, to: order.count, by: batchSize) {
              let batch = UnsafeBufferPointer(
                start: order.baseAddress! + start, count: min(batchSize, order.count - start))
              sum += step(&state, x.baseAddress!, first, batch)
            }
          }
        }
      }
      epoch += 1
      compute.progress?.advance()
      mean = sum / Double(n)
      guard mean.isFinite, state.coefficients.allSatisfy({ $0.isFinite }) else {
        throw ApusError(
          .numerical, "\(name): the steps grew without bound in epoch \(epoch)",
          hint: "put standard-scaler before it, or choose a smaller eta0")
      }
      guard let tolerance else { continue }
      stale = mean > best - tolerance ? stale + 1 : 0
      best = min(best, mean)
      if stale >= Self.patience { break }
    }
    let isAveraged = averages && state.steps > stepsBeforeAverage
    // Without a tolerance nothing says whether the steps have got anywhere.
    let convergence = tolerance.map { _ in
      Convergence(iterations: epoch, converged: stale >= Self.patience, residual: mean)
    }
    return (
      isAveraged ? state.meanCoefficients : state.coefficients,
      isAveraged ? state.meanIntercept : state.intercept, convergence
    )
  }

  /// Takes one row's step and returns its weighted loss before it: to the bit that of a batch of one, without
  /// its bookkeeping.
  private func step(_ state: inout StochasticState, _ x: UnsafePointer<Double>, _ row: Int) -> Double {
    let p = features.columnCount
    let weight = weights?[row] ?? 1
    let rate = schedule.rate(step: state.steps + 1)
    let score = BLAS.dot(p, x, state.coefficients) + state.intercept
    let (value, slope) = loss.valueAndSlope(score, target[row])
    let change = -rate * weight * Self.bounded(slope)
    let shrinkage = max(0, 1 - (1 - penalty.l1Share) * rate * penalty.alpha)
    let threshold = penalty.l1Share * rate * penalty.alpha
    state.coefficients.withUnsafeMutableBufferPointer { w in
      for index in 0..<p { w[index] = shrinkage * w[index] + change * x[index] }
    }
    if threshold > 0 { state.shrinkTowardsZero(by: threshold) }
    if fitIntercept { state.intercept += change }
    state.steps += 1
    if averages { state.average(after: stepsBeforeAverage) }
    return weight * value
  }

  /// A bound, as for outliers with the squared loss a single step could throw the function far off.
  @inline(__always)
  private static func bounded(_ slope: Double) -> Double { min(max(slope, -1e12), 1e12) }

  /// Takes the step of a batch of rows, by the mean of their gradients, and returns their weighted losses before it.
  ///
  /// - Parameters:
  ///   - x: the features of all rows.
  ///   - first: the row that positions in the batch count from.
  private func step(
    _ state: inout StochasticState, _ x: UnsafePointer<Double>, _ first: Int,
    _ batch: UnsafeBufferPointer<Int>
  ) -> Double {
    let p = features.columnCount
    let rate = schedule.rate(step: state.steps + 1)
    let share = rate / Double(batch.count)
    var losses = 0.0
    for (position, index) in batch.enumerated() {
      let row = first + index
      let weight = weights?[row] ?? 1
      let score = BLAS.dot(p, x + row * p, state.coefficients) + state.intercept
      let (value, slope) = loss.valueAndSlope(score, target[row])
      state.changes[position] = -share * weight * Self.bounded(slope)
      losses += weight * value
    }
    let shrinkage = max(0, 1 - (1 - penalty.l1Share) * rate * penalty.alpha)
    let threshold = penalty.l1Share * rate * penalty.alpha
    for (position, index) in batch.enumerated() {
      let (change, x) = (state.changes[position], x + (first + index) * p)
      state.coefficients.withUnsafeMutableBufferPointer { w in
        if position == 0 {
          for index in 0..<p { w[index] = shrinkage * w[index] + change * x[index] }
        } else {
          for index in 0..<p { w[index] += change * x[index] }
        }
      }
      if fitIntercept { state.intercept += change }
    }
    if threshold > 0 { state.shrinkTowardsZero(by: threshold) }
    state.steps += 1
    if averages { state.average(after: stepsBeforeAverage) }
    return losses
  }
}

/// Where a stochastic descent stands.
struct StochasticState {
  var coefficients: [Double]
  var intercept = 0.0
  var meanCoefficients: [Double]
  var meanIntercept = 0.0
  var steps = 0
  /// What each row of a batch adds, as a multiple of its features.
  var changes: [Double]
  /// What the L1 penalty could have taken from a coefficient so far, and what it did take from each.
  private var owedPenalty = 0.0
  private var paidPenalty: [Double]

  init(featureCount: Int, batchSize: Int) {
    changes = [Double](repeating: 0, count: batchSize)
    coefficients = [Double](repeating: 0, count: featureCount)
    meanCoefficients = coefficients
    paidPenalty = coefficients
  }

  /// Applies the L1 penalty of a step as a running debt (Tsuruoka, Tsujii and Ananiadou, 2009): a coefficient
  /// that the noise of single rows lifts off zero still owes the penalty of all earlier steps, and falls back.
  mutating func shrinkTowardsZero(by threshold: Double) {
    owedPenalty += threshold
    for index in coefficients.indices {
      let before = coefficients[index]
      if before > 0 {
        coefficients[index] = max(0, before - (owedPenalty + paidPenalty[index]))
      } else if before < 0 {
        coefficients[index] = min(0, before + (owedPenalty - paidPenalty[index]))
      }
      paidPenalty[index] += coefficients[index] - before
    }
  }

  /// Moves the means of the steps so far without the first ones.
  mutating func average(after first: Int) {
    guard steps > first else { return }
    let share = 1 / Double(steps - first)
    for index in coefficients.indices {
      meanCoefficients[index] += share * (coefficients[index] - meanCoefficients[index])
    }
    meanIntercept += share * (intercept - meanIntercept)
  }
}

/// The penalty of a stochastic descent: `α·(ρ·‖w‖₁ + (1 − ρ)/2·‖w‖²)`.
struct StochasticPenalty: Sendable {
  let alpha: Double
  let l1Share: Double
}
