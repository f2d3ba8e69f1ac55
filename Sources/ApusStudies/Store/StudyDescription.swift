import ApusML
import ApusParallel
import Foundation

/// What a study is about: the rows, how they were divided, what was scored.
public struct StudyDescription: Sendable, Hashable {
  /// The number in its file, from 1; 0 for a study that is not in a file yet.
  public package(set) var number: Int
  /// When it was begun, in seconds since 1970.
  public package(set) var created: Double
  /// The version of Apus that began it.
  public package(set) var version: String
  /// What its candidates are for.
  public package(set) var task: LearningTask
  /// The metric that decides which candidate is best, unless another is asked for.
  public package(set) var refitMetric: String
  /// Words of whoever began it, such as the command line.
  public package(set) var note: String?
  /// The study that it is a part of: that of the same search on all rows; nil for a search of its own.
  public package(set) var whole: Whole?
  package var identity: JournaledSearch.Identity

  /// A study of which another is a part, as the searches of a nested cross-validation are.
  public struct Whole: Sendable, Hashable {
    /// The number of the study in their file.
    public var study: Int
    /// Which part of its rows was searched on, in words.
    public var part: String
  }

  /// The digest of the rows.
  public var dataDigest: Digest { identity.data }
  /// The number of rows.
  public var rowCount: Int { identity.rowCount }
  /// The number of features.
  public var featureCount: Int { identity.featureCount }
  /// The name of the target column, where the data has one.
  public var targetName: String? { identity.targetName }
  /// The number of splits.
  public var foldCount: Int { identity.foldCount }
  /// How the rows were divided.
  public var splitter: String { identity.splitter }
  /// The seed of the searches.
  public var seed: Seed { identity.seed }
  /// The names of the metrics.
  public var metrics: [String] { identity.metrics }
  /// Whether training rows were scored too.
  public var includesTrainScores: Bool { identity.includesTrainScores }
}

extension JournaledSearch.Identity {
  /// What keeps a search from continuing a study, in words; empty when it can.
  ///
  /// - Parameter study: the identity of the study.
  func differences(from study: JournaledSearch.Identity) -> [String] {
    var differences: [String] = []
    if data != study.data {
      let (then, now) = (study.dataDescription, dataDescription)
      differences.append(
        then == now
          ? "the data has the same shape, \(now), but other contents"
          : "the data was \(then), and is \(now)")
    }
    if seed != study.seed { differences.append("the seed was \(study.seed.value), and is \(seed.value)") }
    if splitter != study.splitter {
      differences.append("the folds were \(study.splitter), and are \(splitter)")
    } else if splits != study.splits, differences.isEmpty {
      differences.append("the folds hold other rows")
    }
    if metrics != study.metrics {
      differences.append(
        "the metrics were \(study.metrics.joined(separator: ", ")), and are "
          + metrics.joined(separator: ", "))
    }
    if includesTrainScores != study.includesTrainScores {
      differences.append(
        study.includesTrainScores
          ? "training rows were scored, and are not" : "training rows were not scored, and are")
    }
    return differences
  }

  private var dataDescription: String {
    "\(rowCount) rows × \(featureCount) features" + (targetName.map { " with target '\($0)'" } ?? "")
  }
}
