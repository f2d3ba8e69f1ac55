import Foundation

/// Student's t distribution.
struct StudentDistribution {
  let degreesOfFreedom: Double

  /// The probability of a magnitude of at least `statistic`.
  func twoSidedProbability(_ statistic: Double) -> Double {
    guard statistic.isFinite else { return statistic.isNaN ? .nan : 0 }
    let square = statistic * statistic
    return Self.incompleteBeta(
      degreesOfFreedom / (degreesOfFreedom + square), complement: square / (degreesOfFreedom + square),
      degreesOfFreedom / 2, 0.5)
  }

  /// The number below which a probability of more than a half lies, by bisection.
  func quantile(_ probability: Double) -> Double {
    let tail = 2 * (1 - probability)
    var (low, high) = (0.0, 1.0)
    while twoSidedProbability(high) > tail, high < 1e300 { high *= 2 }
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if twoSidedProbability(middle) > tail { low = middle } else { high = middle }
      if middle == low && middle == high { break }
    }
    return (low + high) / 2
  }

  /// The regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun, 26.5.8).
  ///
  /// - Parameters:
  ///   - x: from 0 to 1.
  ///   - complement: `1 − x`, given apart because it is exact where x is near 1.
  private static func incompleteBeta(_ x: Double, complement: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard complement > 0 else { return 1 }
    let logBeta = lgamma(a) + lgamma(b) - lgamma(a + b)
    let front = exp(a * log(x) + b * log(complement) - logBeta)
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(x, a, b) / a : 1 - front * fraction(complement, b, a) / b
  }

  /// The continued fraction, by Lentz's method.
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func apart(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / apart(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...10_000 {
      let m = Double(step)
      for numerator in [
        m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
      ] {
        d = 1 / apart(1 + numerator * d)
        c = apart(1 + numerator / c)
        result *= d * c
      }
      if abs(d * c - 1) < 1e-15 { break }
    }
    return result
  }
}
