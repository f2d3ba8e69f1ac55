import Foundation

/// Turns decision values into probabilities: P(first class | f) = 1 / (1 + exp(slope · f + offset))
/// (Platt, 2000; fitted as by Lin, Lin and Weng, 2007).
struct PlattCalibration: Sendable, Codable {
  private(set) var slope = 0.0
  private(set) var offset: Double

  /// Fits the two numbers by Newton's method to decision values of rows that were not trained on.
  ///
  /// - Parameters:
  ///   - values: the decision values.
  ///   - isFirst: whether each row is of the first class.
  init(values: [Double], isFirst: [Bool]) {
    let firstCount = Double(isFirst.filter { $0 }.count)
    let secondCount = Double(isFirst.count) - firstCount
    // Targets a little inside 0 and 1 keep the fit finite where classes are separable.
    let (high, low) = ((firstCount + 1) / (firstCount + 2), 1 / (secondCount + 2))
    let targets = isFirst.map { $0 ? high : low }
    offset = log((secondCount + 1) / (firstCount + 1))
    var loss = self.loss(values, targets)
    for _ in 0..<100 {
      var (h11, h22, h21, g1, g2) = (1e-12, 1e-12, 0.0, 0.0, 0.0)
      for (value, target) in zip(values, targets) {
        let p = probability(value)
        let curvature = p * (1 - p)
        h11 += value * value * curvature
        h22 += curvature
        h21 += value * curvature
        g1 += value * (target - p)
        g2 += target - p
      }
      guard abs(g1) >= 1e-5 || abs(g2) >= 1e-5 else { return }
      let determinant = h11 * h22 - h21 * h21
      let slopeStep = -(h22 * g1 - h21 * g2) / determinant
      let offsetStep = -(h11 * g2 - h21 * g1) / determinant
      let descent = g1 * slopeStep + g2 * offsetStep
      var size = 1.0
      while size >= 1e-10 {
        var candidate = self
        candidate.slope += size * slopeStep
        candidate.offset += size * offsetStep
        let candidateLoss = candidate.loss(values, targets)
        if candidateLoss < loss + 1e-4 * size * descent {
          self = candidate
          loss = candidateLoss
          break
        }
        size /= 2
      }
      if size < 1e-10 { return }
    }
  }

  /// The probability of the first class.
  func probability(_ value: Double) -> Double {
    let z = slope * value + offset
    return z >= 0 ? exp(-z) / (1 + exp(-z)) : 1 / (1 + exp(z))
  }

  private func loss(_ values: [Double], _ targets: [Double]) -> Double {
    zip(values, targets).reduce(0) { sum, pair in
      let z = slope * pair.0 + offset
      return sum + (z >= 0 ? pair.1 * z + log1p(exp(-z)) : (pair.1 - 1) * z + log1p(exp(z)))
    }
  }
}

/// The probabilities of classes from those of each pair of them (Wu, Lin and Weng, 2004, second method).
///
/// - Parameter pairwise: `pairwise[i * k + j]` is the probability of class i given that it is i or j.
func coupledProbabilities(_ pairwise: [Double], classCount k: Int) -> [Double] {
  var q = [Double](repeating: 0, count: k * k)
  for i in 0..<k {
    for j in 0..<k where j != i {
      q[i * k + i] += pairwise[j * k + i] * pairwise[j * k + i]
      q[i * k + j] = -pairwise[j * k + i] * pairwise[i * k + j]
    }
  }
  var p = [Double](repeating: 1 / Double(k), count: k)
  for _ in 0..<max(100, k) {
    var qp = (0..<k).map { i in (0..<k).reduce(0) { $0 + q[i * k + $1] * p[$1] } }
    var pqp = zip(p, qp).reduce(0) { $0 + $1.0 * $1.1 }
    guard qp.contains(where: { abs($0 - pqp) >= 0.005 / Double(k) }) else { break }
    for i in 0..<k {
      let change = (pqp - qp[i]) / q[i * k + i]
      p[i] += change
      pqp = (pqp + change * (change * q[i * k + i] + 2 * qp[i])) / (1 + change) / (1 + change)
      for j in 0..<k {
        qp[j] = (qp[j] + change * q[i * k + j]) / (1 + change)
        p[j] /= 1 + change
      }
    }
  }
  return p
}
