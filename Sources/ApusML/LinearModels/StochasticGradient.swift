import ApusLinearAlgebra
import ApusParallel
import Foundation

/// Stochastic gradient descent for one linear function, a row at a time in an order shuffled for each epoch.
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
  let averages: Bool
  let tolerance: Double?
  let maximumEpochs: Int

  /// Epochs without progress that end the descent.
  private static let patience = 5
  /// The order within a run of so many rows is shuffled, and the order of the runs.
  private static let runLength = 1024

  /// Descends from zero.
  ///
  /// - Throws: ``ApusError`` of kind `numerical` when the steps grow without bound, `cancelled`.
  func descend(
    seed: Seed, name: String, _ cancellation: Cancellation
  ) throws -> (coefficients: [Double], intercept: Double, convergence: Convergence) {
    let (n, p) = (features.rowCount, features.columnCount)
    var state = StochasticState(featureCount: p)
    var (best, stale, epoch, mean) = (Double.infinity, 0, 0, Double.infinity)
    while epoch < maximumEpochs {
      try cancellation.check()
      var random = seed.derived("epoch", epoch).randomSource()
      let runs = (n + Self.runLength - 1) / Self.runLength
      var sum = 0.0
      features.withUnsafeElements { x in
        for run in random.permutation(runs) {
          let first = run * Self.runLength
          for index in random.permutation(min(Self.runLength, n - first)) {
            sum += step(&state, x.baseAddress! + (first + index) * p, first + index)
          }
        }
      }
      epoch += 1
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
    let isAveraged = averages && state.steps > 0
    return (
      isAveraged ? state.meanCoefficients : state.coefficients,
      isAveraged ? state.meanIntercept : state.intercept,
      Convergence(
        iterations: epoch, converged: tolerance == nil || stale >= Self.patience, residual: mean)
    )
  }

  /// Takes one row's step and returns its weighted loss before it.
  private func step(_ state: inout StochasticState, _ x: UnsafePointer<Double>, _ row: Int) -> Double {
    let p = features.columnCount
    let weight = weights?[row] ?? 1
    let rate = schedule.rate(step: state.steps + 1)
    let score = BLAS.dot(p, x, state.coefficients) + state.intercept
    let (value, slope) = loss.valueAndSlope(score, target[row])
    // A bound, as for outliers with the squared loss a single step could throw the function far off.
    let change = -rate * weight * min(max(slope, -1e12), 1e12)
    let shrinkage = max(0, 1 - (1 - penalty.l1Share) * rate * penalty.alpha)
    let threshold = penalty.l1Share * rate * penalty.alpha
    state.coefficients.withUnsafeMutableBufferPointer { w in
      for index in 0..<p { w[index] = shrinkage * w[index] + change * x[index] }
    }
    if threshold > 0 { state.shrinkTowardsZero(by: threshold) }
    if fitIntercept { state.intercept += change }
    state.steps += 1
    if averages { state.average() }
    return weight * value
  }
}

/// Where a stochastic descent stands.
struct StochasticState {
  var coefficients: [Double]
  var intercept = 0.0
  var meanCoefficients: [Double]
  var meanIntercept = 0.0
  var steps = 0
  /// What the L1 penalty could have taken from a coefficient so far, and what it did take from each.
  private var owedPenalty = 0.0
  private var paidPenalty: [Double]

  init(featureCount: Int) {
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

  /// Moves the means of all steps so far.
  mutating func average() {
    let share = 1 / Double(steps)
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
