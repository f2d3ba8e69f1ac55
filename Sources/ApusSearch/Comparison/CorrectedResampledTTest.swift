import ApusML
import ApusParallel

/// Compares two candidates that were scored on the same splits, by the corrected resampled t-test (Nadeau and
/// Bengio, 2003).
///
/// Splits share training rows, so their scores are not independent and the usual test finds differences that
/// are not there; here the variance is enlarged by the ratio of test rows to training rows.
///
/// ```swift
/// let (first, second) = (outcome.results.ranked[0], outcome.results.ranked[1])
/// let test = try CorrectedResampledTTest(first, second, of: outcome.results)
/// print(test.mean, test.interval(0.95), test.probability)
/// ```
public struct CorrectedResampledTTest: Sendable, Hashable {
  /// The mean difference of the scores, the first candidate's less the second's.
  public let mean: Double
  /// The standard error of the mean, corrected.
  public let standardError: Double
  /// The number of splits.
  public let count: Int

  /// Compares scores split by split.
  ///
  /// - Parameters:
  ///   - differences: the first candidate's score less the second's, at least two.
  ///   - testRatio: test rows to training rows of a split: 1 / (k − 1) for k folds, also when repeated.
  public init(differences: [Double], testRatio: Double) {
    count = differences.count
    let number = Double(count)
    let mean = differences.reduce(0, +) / number
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (number - 1)
    self.mean = mean
    standardError = ((1 / number + testRatio) * variance).squareRoot()
  }

  /// Compares two candidates of a search.
  ///
  /// - Parameters:
  ///   - first: a candidate.
  ///   - second: another.
  ///   - results: the results that both belong to.
  ///   - metric: the metric to compare by; the one that decides unless given.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for an unknown metric, or candidates that do not have
  ///   scores on at least two common splits.
  public init(
    _ first: CandidateResult, _ second: CandidateResult, of results: SearchResults, by metric: String? = nil
  ) throws {
    let name = metric ?? results.refitMetric
    guard let left = first.score(of: name), let right = second.score(of: name) else {
      throw ApusError(
        .invalidParameter, "there is no metric '\(name)' to compare by",
        hint: "known: \(results.metrics.joined(separator: ", "))")
    }
    guard left.test.count == right.test.count, left.test.count >= 2, !left.mean.isNaN, !right.mean.isNaN,
      first.stage?.resource == second.stage?.resource
    else {
      throw ApusError(.invalidParameter, "the candidates were not scored on the same two splits or more")
    }
    self.init(
      differences: zip(left.test, right.test).map { $0 - $1 }, testRatio: results.testRatio)
  }

  /// The mean difference over its standard error; 0 when there is no difference at all.
  public var statistic: Double { mean == 0 ? 0 : mean / standardError }

  /// The probability of a difference at least as large where there is none, two-sided.
  public var probability: Double {
    StudentDistribution(degreesOfFreedom: Double(count - 1)).twoSidedProbability(statistic)
  }

  /// The interval that holds the true difference with a confidence of more than a half, such as 0.95; all numbers where
  /// a score is missing or infinite, which says nothing of the difference.
  public func interval(_ confidence: Double = 0.95) -> ClosedRange<Double> {
    let distribution = StudentDistribution(degreesOfFreedom: Double(count - 1))
    let reach = distribution.quantile((1 + confidence) / 2) * standardError
    guard mean.isFinite, reach.isFinite else { return -.infinity ... .infinity }
    return mean - reach...mean + reach
  }
}

extension SearchResults {
  /// How the best candidates differ from the best one: a test for each of the following.
  ///
  /// - Parameter count: how many candidates are compared with the best.
  public func comparisonsWithBest(_ count: Int = 10) -> [(
    candidate: CandidateResult, test: CorrectedResampledTTest
  )] {
    guard let best, !testRatio.isNaN else { return [] }
    return ranked.filter { $0.index != best.index }.prefix(count).compactMap { candidate in
      (try? CorrectedResampledTTest(best, candidate, of: self)).map { (candidate, $0) }
    }
  }
}
