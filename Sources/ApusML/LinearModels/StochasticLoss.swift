import Foundation

/// The losses of stochastic gradient descent, as functions of a score and what it should be.
public enum StochasticLoss: String, Sendable, Codable, CaseIterable {
  /// `max(0, 1 − y·z)`: a linear support vector machine.
  case hinge
  /// Its square.
  case squaredHinge
  /// `log(1 + exp(−y·z))`: logistic regression.
  case logLoss
  /// Half the squared error: least squares.
  case squaredError
  /// Half the squared error near zero and linear beyond 0.1: less moved by outliers.
  case huber

  /// Where ``huber`` becomes linear.
  private static let huberBound = 0.1

  /// The loss of a score, and its derivative by the score.
  func valueAndSlope(_ score: Double, _ target: Double) -> (value: Double, slope: Double) {
    switch self {
    case .hinge:
      let missing = 1 - target * score
      return missing > 0 ? (missing, -target) : (0, 0)
    case .squaredHinge:
      let missing = max(0, 1 - target * score)
      return (missing * missing, -2 * target * missing)
    case .logLoss:
      let margin = target * score
      let small = exp(-abs(margin))
      let probability = margin > 0 ? small / (1 + small) : 1 / (1 + small)
      return (log1p(small) + max(0, -margin), -target * probability)
    case .squaredError:
      let error = score - target
      return (0.5 * error * error, error)
    case .huber:
      let error = score - target
      let bound = Self.huberBound
      if abs(error) <= bound { return (0.5 * error * error, error) }
      return (bound * abs(error) - 0.5 * bound * bound, error > 0 ? bound : -bound)
    }
  }

  /// The size of the derivative that a typical first score would have, for the optimal schedule.
  func slopeSize(_ score: Double) -> Double { abs(valueAndSlope(-score, 1).slope) }
}

/// How the length of steps changes during a stochastic descent.
public enum LearningRateSchedule: String, ParameterChoice, Sendable {
  /// `1 / (α·(t₀ + t))`, with t₀ chosen from α (Bottou, 2012).
  case optimal
  /// `η₀` throughout.
  case constant
  /// `η₀ / t^0.25`.
  case invscaling
}

/// The length of each step.
struct LearningRate: Sendable {
  let schedule: LearningRateSchedule
  let eta0: Double
  let alpha: Double
  private let offset: Double

  init(_ schedule: LearningRateSchedule, eta0: Double, alpha: Double, loss: StochasticLoss) {
    self.schedule = schedule
    self.eta0 = eta0
    self.alpha = alpha
    let typical = (1 / alpha.squareRoot()).squareRoot()
    let first = typical / max(1, loss.slopeSize(typical))
    offset = 1 / (first * alpha)
  }

  func rate(step: Int) -> Double {
    switch schedule {
    case .optimal: 1 / (alpha * (offset + Double(step - 1)))
    case .constant: eta0
    case .invscaling: eta0 / Double(step).squareRoot().squareRoot()
    }
  }
}
