import Foundation

/// Upper tails of the distributions that tests use, to about 13 digits.
///
/// Series and continued fractions as in Press, Teukolsky, Vetterling and Flannery, *Numerical Recipes*,
/// sections 6.2 and 6.4, the fractions by Lentz's method.
package enum Distributions {
  /// How likely a variable of Fisher's F distribution is to exceed `value`.
  package static func fisherSurvival(_ value: Double, _ numerator: Double, _ denominator: Double) -> Double {
    guard value == value else { return .nan }
    guard value > 0 else { return 1 }
    return incompleteBeta(
      denominator / (denominator + numerator * value), denominator / 2, numerator / 2)
  }

  /// How likely a variable of the chi-squared distribution is to exceed `value`.
  package static func chiSquaredSurvival(_ value: Double, _ degrees: Double) -> Double {
    guard value == value else { return .nan }
    guard value > 0 else { return 1 }
    let (a, x) = (degrees / 2, value / 2)
    let factor = exp(-x + a * log(x) - logGamma(a))
    if x < a + 1 {
      var term = 1 / a
      var sum = term
      var n = a
      while abs(term) > abs(sum) * 1e-17 {
        n += 1
        term *= x / n
        sum += term
      }
      return 1 - sum * factor
    }
    var b = x + 1 - a
    return factor
      * continuedFraction(first: b) { step in
        let i = Double(step)
        b += 2
        return (-i * (i - a), b)
      }
  }

  /// The regularized incomplete beta function.
  private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast below the mean; beyond it the mirrored one does.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let logBeta = logGamma(a) + logGamma(b) - logGamma(a + b)
    let front = exp(a * log(x) + b * log1p(-x) - logBeta) / a
    return front
      * continuedFraction(first: 1) { step in
        let m = Double(step / 2)
        let coefficient =
          step % 2 == 0
          ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
          : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        return (coefficient, 1)
      }
  }

  private static func logGamma(_ value: Double) -> Double {
    let result: Double = lgamma(value)
    return result
  }

  /// `1 / (b₀ + a₁ / (b₁ + a₂ / (b₂ + …)))`.
  private static func continuedFraction(
    first: Double, _ term: (_ step: Int) -> (a: Double, b: Double)
  ) -> Double {
    let tiny = 1e-300
    var c = 1 / tiny
    var d = 1 / (first == 0 ? tiny : first)
    var result = d
    for step in 1...10_000 {
      let (a, b) = term(step)
      d = a * d + b
      c = b + a / c
      d = 1 / (d == 0 ? tiny : d)
      if c == 0 { c = tiny }
      let change = c * d
      result *= change
      if abs(change - 1) < 4e-16 { break }
    }
    return result
  }
}
