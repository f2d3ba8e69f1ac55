import ApusLinearAlgebra
import ApusParallel
import Foundation

/// The normal distributions that ``GaussianNaiveBayes`` found.
public struct GaussianNaiveBayesModel: ProbabilityModel {
  /// The labels of the classes, `k` of them.
  public let classLabels: [String]
  /// The classes' probabilities before any feature is seen.
  public let priors: [Double]
  /// The mean of each feature in each class, `k × p`.
  public let means: Matrix<Double>
  /// The variance of each feature in each class, the smoothing included, `k × p`.
  public let variances: Matrix<Double>

  /// The number of features, `p`.
  public var featureCount: Int { means.columnCount }

  /// The most probable class of each row; the lower one of a draw.
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    let scores = try jointLogLikelihoods(features, compute)
    let k = classLabels.count
    return scores.withUnsafeElements { scores in
      (0..<features.rowCount).map { row in
        var best = 0
        for label in 1..<k where scores[row &* k &+ label] > scores[row &* k &+ best] { best = label }
        return Int32(best)
      }
    }
  }

  /// The probability of each class by Bayes' rule, `n × k`.
  public func predictProbabilities(
    _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    var scores = try jointLogLikelihoods(features, compute)
    let k = classLabels.count
    scores.withUnsafeMutableElements { scores in
      for row in 0..<features.rowCount {
        let own = UnsafeMutableBufferPointer(rebasing: scores[row * k..<(row + 1) * k])
        let largest = own.max()!
        for label in 0..<k { own[label] = exp(own[label] - largest) }
        let sum = own.reduce(0, +)
        for label in 0..<k { own[label] /= sum }
      }
    }
    return scores
  }

  /// log P(class) + log P(row | class), `n × k`.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  /// - Complexity: O(n · k · p).
  public func jointLogLikelihoods(
    _ features: Matrix<Double>, _ compute: ComputeContext = .allCPUs
  ) throws -> Matrix<Double> {
    try checkFeatures(features)
    try features.requireFinite(for: GaussianNaiveBayes.name)
    let (k, p) = (classLabels.count, featureCount)
    let precisions = variances.elements.map { 1 / $0 }
    let constants = (0..<k).map { label in
      log(priors[label]) - 0.5 * variances.row(label).reduce(0) { $0 + log(2 * .pi * $1) }
    }
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 256)
    return try Matrix(rowCount: features.rowCount, columnCount: k) { target in
      // Blocks write disjoint rows.
      nonisolated(unsafe) let target = target
      try compute.forEach(blocks.count) { block in
        features.withUnsafeElements { x in
          means.withUnsafeElements { means in
            precisions.withUnsafeBufferPointer { precisions in
              for row in blocks[block] {
                for label in 0..<k {
                  var sum = 0.0
                  for column in 0..<p {
                    let difference = x[row &* p &+ column] - means[label &* p &+ column]
                    sum += difference * difference * precisions[label &* p &+ column]
                  }
                  target[row &* k &+ label] = constants[label] - 0.5 * sum
                }
              }
            }
          }
        }
      }
    }
  }
}
