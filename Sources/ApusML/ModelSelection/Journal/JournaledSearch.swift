import ApusData
import ApusParallel
import Foundation

/// What a journal must know of a search: what makes scores comparable, and the candidates.
package struct JournaledSearch: Sendable {
  /// What scores depend on beside the candidate; two searches whose identities are equal can share them.
  package struct Identity: Sendable, Hashable, Codable {
    package var data: Digest
    package var rowCount: Int
    package var featureCount: Int
    package var targetName: String?
    package var splits: Digest
    package var foldCount: Int
    /// Scored rows to learning rows, on average over the splits.
    package var testRatio: Double
    /// The splitter's type and settings, to tell people what has changed.
    package var splitter: String
    package var seed: Seed
    package var metrics: [String]
    package var includesTrainScores: Bool

    package init(
      data: Digest, rowCount: Int, featureCount: Int, targetName: String?, splits: Digest, foldCount: Int,
      testRatio: Double, splitter: String, seed: Seed, metrics: [String], includesTrainScores: Bool
    ) {
      self.data = data
      self.rowCount = rowCount
      self.featureCount = featureCount
      self.targetName = targetName
      self.splits = splits
      self.foldCount = foldCount
      self.testRatio = testRatio
      self.splitter = splitter
      self.seed = seed
      self.metrics = metrics
      self.includesTrainScores = includesTrainScores
    }
  }

  package let identity: Identity
  package let task: LearningTask
  /// The metric that decides which candidate is best.
  package let refitMetric: String
  package let candidateCount: Int
  /// The candidate with a number in the search, and the names of the hyperparameters that vary.
  package let candidate: @Sendable (Int) throws -> (estimator: AnyEstimator, varied: [String])

  package init(
    identity: Identity, task: LearningTask, refitMetric: String, candidateCount: Int,
    candidate: @escaping @Sendable (Int) throws -> (estimator: AnyEstimator, varied: [String])
  ) {
    self.identity = identity
    self.task = task
    self.refitMetric = refitMetric
    self.candidateCount = candidateCount
    self.candidate = candidate
  }
}

extension Splitter {
  /// The type and the settings: `KFold(folds: 5, shuffle: false)`.
  var journalDescription: String {
    let settings = (try? JSONEncoder.jobs.encode(self))
      .flatMap { try? JSONDecoder.jobs.decode(ParameterValue.self, from: $0) }
    let text = settings?.description ?? ""
    return text.count > 200 ? "\(Self.self)" : "\(Self.self)(\(text.dropFirst().dropLast()))"
  }
}
