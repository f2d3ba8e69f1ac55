import ApusML
import ApusParallel
import Foundation

/// What two studies have in common, and where they differ.
public struct StudyComparison: Sendable {
  /// A fit that both have, with different scores.
  public struct Difference: Sendable, Hashable {
    /// The estimator's name.
    public var estimator: String
    /// Every hyperparameter.
    public var parameters: [String: ParameterValue]
    /// The fold.
    public var fold: Int
    /// The rows that were learnt from; nil for all of the fold's.
    public var trainRows: Int?
    /// The metric.
    public var metric: String
    /// The score in the one study.
    public var left: Double
    /// The score in the other.
    public var right: Double
  }

  /// How the settings differ, in words: data, seed, folds, metrics.
  public var settings: [String]
  /// Candidates of the one study only.
  public var onlyLeft = 0
  /// Candidates of the other study only.
  public var onlyRight = 0
  /// Candidates of both.
  public var common = 0
  /// Fits that both have.
  public var commonFits = 0
  /// Common fits whose scores are the same to the bit, and those that failed in both.
  public var equalFits = 0
  /// The differences that are largest, largest first.
  public var largest: [Difference] = []

  private static var mostDifferences: Int { 20 }

  /// Compares two studies, candidate by candidate, by the metrics that both have.
  ///
  /// - Complexity: one pass over each; the scores of the first are held.
  public init(_ left: Study, _ right: Study) throws {
    settings = right.description.identity.differences(from: left.description.identity)
    let metrics = left.description.metrics.enumerated().compactMap { position, metric in
      right.description.metrics.firstIndex(of: metric).map { (metric, position, $0) }
    }
    let foldCount = left.description.foldCount
    // Fits on a part of a fold's rows are numbered by the number of folds.
    let comparable =
      foldCount == right.description.foldCount ? .max : min(foldCount, right.description.foldCount)
    var known: [Data: [Int: TriedFit]] = [:]
    try left.forEachStoredCandidate { _, candidate in known[candidate.digest] = candidate.fits }
    let total = known.count
    try right.forEachStoredCandidate { _, candidate in
      guard let fits = known[candidate.digest] else {
        onlyRight += 1
        return
      }
      common += 1
      for (key, one) in fits.sorted(by: { $0.key < $1.key }) where key < comparable {
        guard let other = candidate.fits[key] else { continue }
        commonFits += 1
        var isEqual = (one.reason == nil) == (other.reason == nil)
        for (metric, position, counterpart) in metrics {
          let score = Self.score(one, position)
          let otherScore = Self.score(other, counterpart)
          guard score.bitPattern != otherScore.bitPattern else { continue }
          isEqual = false
          try note(
            Difference(
              estimator: candidate.estimator, parameters: try CandidateText.values(candidate.parameters),
              fold: key % foldCount, trainRows: key < foldCount ? nil : key / foldCount, metric: metric,
              left: score, right: otherScore))
        }
        if isEqual { equalFits += 1 }
      }
    }
    onlyLeft = total - common
  }

  private static func score(_ fit: TriedFit, _ position: Int) -> Double {
    fit.scores.test.indices.contains(position) ? fit.scores.test[position] : .nan
  }

  private mutating func note(_ difference: Difference) throws {
    // A missing score differs more than any number.
    func size(_ difference: Difference) -> Double {
      let size = abs(difference.left - difference.right)
      return size.isNaN ? .infinity : size
    }
    let place = largest.firstIndex { size($0) < size(difference) } ?? largest.count
    largest.insert(difference, at: place)
    if largest.count > Self.mostDifferences { largest.removeLast() }
  }
}
