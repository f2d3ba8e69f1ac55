import ApusML

/// What the report of a study shows, as its page reads it; numbers that are not finite are left out, or null in lists.
struct ReportData: Encodable {
  /// A candidate as a point of the charts.
  struct Candidate: Encodable {
    var candidate: Int
    var estimator: String
    var parameters: [String: ParameterValue]
    var mean: Double?
    var trainMean: Double?
    var fitSeconds: Double?
  }

  /// A candidate as a row of the leaderboard.
  struct Leader: Encodable {
    var candidate: Int
    var rank: Int
    var estimator: String
    var parameters: [String: ParameterValue]
    /// The mean by the metric that ranks, and by each metric.
    var mean: Double?
    var deviation: Double?
    var means: [Double?]
    var deviations: [Double?]
    /// How much worse than the best it is, with a confidence of 95 % (corrected resampled t-test).
    var interval: [Double]?
    var fitSeconds: Double?
    var resource: Int?
    /// The folds whose fit ended at its limit of iterations.
    var unconverged: Int
    /// The most iterations of a fold's fit, where fits iterate.
    var iterations: Int?
  }

  /// A metric's scores on the outer test rows of a nested cross-validation.
  struct Nested: Encodable {
    var metric: String
    var mean: Double?
    var deviation: Double?
    var splits: Int
  }

  /// A candidate that was tried on several parts of the rows.
  struct Curve: Encodable {
    var candidate: Int
    var rows: [Int]
    var means: [Double]
    /// The same on the training rows, where they were scored.
    var trainMeans: [Double?]?
  }

  /// A parameter, and how much it has to do with the score.
  struct Importance: Encodable {
    var name: String
    var share: Double
  }

  /// When the best score so far got better.
  struct Step: Encodable {
    var time: Double
    var best: Double
  }

  /// A fit in time.
  struct TimedFit: Encodable {
    var worker: String
    var end: Double
    var seconds: Double
    var failed: Bool
  }

  /// Fits that failed for the same reason.
  struct Failure: Encodable {
    var count: Int
    var reason: String
    var message: String
    var estimator: String
    var parameters: [String: ParameterValue]
    var fold: Int
  }

  var isLive = false
  /// Changes whenever the study does.
  var revision: Int
  var path: String
  var number: Int
  var created: Double
  var version: String
  /// What began and continued the study.
  var commands: [String]
  var rows: Int
  var features: Int
  var target: String?
  var dataDigest: String
  var splitter: String
  /// As text, since the page's numbers are exact up to 2⁵³ only.
  var seed: String
  var metrics: [String]
  var metric: String
  var hasTrainScores: Bool
  var hasResource: Bool
  var candidateCount: Int
  var fitCount: Int
  var failureCount: Int
  /// Whether some candidates are left out of the charts.
  var isSampled: Bool
  var estimators: [String]
  var parameters: [String]
  var candidates: [Candidate]
  var leaders: [Leader]
  /// What the search is worth on new rows, by a nested cross-validation.
  var nested: [Nested]?
  var curves: [Curve]
  var importances: [Importance]
  var progress: [Step]
  var timeline: [TimedFit]
  var failures: [Failure]
}

extension Double {
  /// The number where it is finite.
  var orNull: Double? { isFinite ? self : nil }
}
