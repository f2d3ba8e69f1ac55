import ApusML
import ApusParallel

/// A study of a file: what was searched, and what has been found so far.
///
/// Nothing is held in memory: every question is answered from the file, also while searches write to it.
public struct Study: Sendable {
  /// What the study is about.
  public let description: StudyDescription
  let store: any StudyStore

  /// How far a study has come.
  public struct Progress: Sendable, Hashable {
    /// The number of candidates.
    public var candidates = 0
    /// Candidates that were tried on every fold.
    public var finishedCandidates = 0
    /// Fits that were made, whether they failed or not.
    public var fits = 0
    /// Fits that failed.
    public var failures = 0
  }

  /// How far the study has come.
  public func progress() throws -> Progress { try store.progress(of: description) }

  /// Calls a function with each candidate of which a fold was tried, in the order in which they came.
  ///
  /// One candidate is in memory at a time; ranks are those of ``ranking``, 0 without one.
  public func forEachCandidate(
    ranking: StudyRanking? = nil, _ body: (CandidateResult) throws -> Void
  ) throws {
    let names = try names()
    try forEachStoredCandidate { index, candidate in
      guard !candidate.fits.isEmpty else { return }
      try body(try result(candidate, at: index, names: names, ranking))
    }
  }

  /// The best candidates, best first; those without a score on every fold come last.
  ///
  /// - Parameters:
  ///   - count: the number of candidates.
  ///   - metric: what they are ranked by; the study's own unless given.
  public func leaderboard(_ count: Int, by metric: String? = nil) throws -> [CandidateResult] {
    let position = try position(of: metric ?? description.refitMetric)
    let names = try names()
    var ranking = StudyRanking(metricCount: description.metrics.count)
    var leaders = Leaders(count: count)
    try forEachStoredCandidate { index, candidate in
      let means = means(candidate)
      ranking.add(means)
      if let means { leaders.offer(candidate, at: index, score: means[position]) }
    }
    ranking.finish()
    return try leaders.all.map { try result($0.candidate, at: $0.index, names: names, ranking) }
  }

  /// The best candidate: the first of those with the highest mean score; nil when no candidate has scores on
  /// every fold.
  public func best(by metric: String? = nil) throws -> CandidateResult? {
    let position = try position(of: metric ?? description.refitMetric)
    guard let first = try leaderboard(1, by: metric).first, !first.scores[position].mean.isNaN else {
      return nil
    }
    return first
  }

  /// The mean scores of all candidates.
  public func ranking() throws -> StudyRanking {
    var ranking = StudyRanking(metricCount: description.metrics.count)
    try forEachStoredCandidate { _, candidate in ranking.add(means(candidate)) }
    ranking.finish()
    return ranking
  }

  /// Every fit that failed, at most `limit` of them.
  public func failures(limit: Int = .max) throws -> [FitFailure] {
    var failures: [FitFailure] = []
    let names = try names()
    try forEachStoredCandidate { index, candidate in
      for (fold, fit) in candidate.fits.sorted(by: { $0.key < $1.key }) where failures.count < limit {
        guard let reason = fit.reason else { continue }
        failures.append(
          FitFailure(
            candidate: index, fold: fold, estimator: candidate.estimator,
            parameters: try varied(candidate, names), worker: fit.worker, reason: reason,
            message: fit.scores.failure ?? ""))
      }
    }
    return failures
  }

  /// Forgets the failures, so that the next search makes those fits again; returns how many there were.
  public func forgetFailures() throws -> Int { try store.forgetFailures(of: description.number) }

  /// The position of a metric among the study's.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that lists them.
  public func position(of metric: String) throws -> Int {
    if let position = description.metrics.firstIndex(of: metric) { return position }
    let suggestion = description.metrics.nearest(to: metric).map { "did you mean '\($0)'? " } ?? ""
    throw ApusError(
      .invalidParameter, "the study has no metric '\(metric)'",
      hint: "\(suggestion)it has \(description.metrics.joined(separator: ", "))")
  }
}

extension Study {
  func forEachStoredCandidate(_ body: (Int, StoredCandidate) throws -> Void) throws {
    var index = 0
    try store.forEachCandidate(of: description.number) { candidate in
      try body(index, candidate)
      index += 1
    }
  }

  private func names() throws -> [String: Set<String>] {
    try store.variedParameters(of: description.number)
  }

  private func varied(
    _ candidate: StoredCandidate, _ names: [String: Set<String>]
  ) throws -> [String: ParameterValue] {
    let names = names[candidate.estimator] ?? []
    return try CandidateText.values(candidate.parameters).filter { names.contains($0.key) }
  }

  /// The scores of a candidate by a metric; NaN where there is none.
  func scores(_ candidate: StoredCandidate, _ position: Int, train: Bool = false) -> [Double] {
    (0..<description.foldCount).map { fold in
      guard let scores = candidate.fits[fold]?.scores else { return .nan }
      let numbers = train ? scores.train : scores.test
      return numbers.indices.contains(position) ? numbers[position] : .nan
    }
  }

  /// The mean of each metric; nil when no fold was tried.
  private func means(_ candidate: StoredCandidate) -> [Double]? {
    guard !candidate.fits.isEmpty else { return nil }
    return description.metrics.indices.map { position in
      meanAndDeviation(scores(candidate, position)).mean
    }
  }

  private func result(
    _ candidate: StoredCandidate, at index: Int, names: [String: Set<String>], _ ranking: StudyRanking?
  ) throws -> CandidateResult {
    let estimator = try AnyEstimator(
      named: candidate.estimator, parameters: try CandidateText.values(candidate.parameters))
    let names = names[candidate.estimator] ?? []
    let folds = 0..<description.foldCount
    return CandidateResult(
      index: index, estimator: estimator, parameters: estimator.parameters.filter { names.contains($0.key) },
      scores: description.metrics.enumerated().map { position, metric in
        var result = MetricResult(
          metric: metric, test: scores(candidate, position),
          train: description.includesTrainScores ? scores(candidate, position, train: true) : nil)
        result.rank = ranking?.rank(of: index, by: position) ?? 0
        return result
      },
      fitSeconds: folds.map { candidate.fits[$0]?.scores.fitSeconds ?? .nan },
      scoreSeconds: folds.map { fold in
        guard let fit = candidate.fits[fold], fit.reason == nil else { return .nan }
        return fit.scores.scoreSeconds
      },
      unconvergedFolds: candidate.fits.compactMapValues { fit in
        fit.scores.convergence.flatMap { $0.converged ? nil : $0 }
      })
  }
}
