import ApusML
import ApusParallel
import ApusSearch
import Foundation

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
    /// Fits that learnt from a part of the training rows only.
    public var partialFits = 0
  }

  /// Does something that asks several questions, and answers all of them as of one moment, whatever searches write
  /// in the meantime.
  ///
  /// - Parameter body: asks; it must not run a search that is kept in the same ``StudyFile``.
  public func atOneMoment<Result>(_ body: () throws -> Result) throws -> Result {
    try store.atOneMoment(body)
  }

  /// The words of those who have begun and continued the study, such as their command lines: each once, in order.
  public func notes() throws -> [String] { try store.notes(of: description) }

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
    return try atOneMoment {
      let names = try names()
      let (ranking, leaders) = try survey(leaders: count, by: position)
      return try leaders.all.map { try result($0.candidate, at: $0.index, names: names, ranking) }
    }
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

  /// The candidate that a rule chooses; nil when none has scores on every fold.
  ///
  /// - Parameters:
  ///   - choice: the rule.
  ///   - metric: what candidates are compared by; the study's own unless given.
  /// - Complexity: passes over the study; only the candidates that the rule may choose are in memory.
  public func chosen(by choice: CandidateChoice, metric: String? = nil) throws -> CandidateResult? {
    let metric = metric ?? description.refitMetric
    let position = try position(of: metric)
    return try atOneMoment {
      var count = choice == .highestMean ? 1 : 100
      while true {
        let leaders = try leaderboard(count, by: metric)
        let results = SearchResults(
          metrics: description.metrics, foldCount: description.foldCount, refitMetric: metric,
          candidates: leaders.sorted { $0.index < $1.index }, failures: [], isComplete: true, choice: choice)
        guard let best = results.best?.scores[position] else { return nil }
        // Whoever is within a standard error is among the leaders once the last of them is not.
        let last = leaders[leaders.count - 1].scores[position].mean
        if leaders.count < count || count == 1 || !(last >= best.mean - best.standardError) {
          return results.chosen
        }
        count *= 8
      }
    }
  }

  /// The mean scores of all candidates.
  public func ranking() throws -> StudyRanking { try survey(leaders: 0, by: 0).ranking }

  /// Why the latest search that decides as it goes has ended, in words; nil where none has.
  public func ending() throws -> String? {
    try store.decisions(of: SearchNotes.endings.rawValue, in: description.number, from: 0).last
  }

  /// What the latest nested cross-validation of the study's search has found; nil where there was none.
  public func nestedResults() throws -> NestedResults? {
    let notes = try store.decisions(of: SearchNotes.nested.rawValue, in: description.number, from: 0)
    return try notes.last.map { note in
      do { return try JSONDecoder.jobs.decode(NestedResults.self, from: Data(note.utf8)) } catch {
        throw ApusError(.format, "the study's nested results are damaged", cause: error)
      }
    }
  }

  /// Every fit that failed, at most `limit` of them.
  public func failures(limit: Int = .max) throws -> [FitFailure] {
    try atOneMoment {
      var failures: [FitFailure] = []
      let failed = try store.failedCandidates(of: description.number, limit: limit)
      guard !failed.isEmpty else { return [] }
      let names = try names()
      let numbers = try store.candidateNumbers(of: description.number)
      let places = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, $0) })
      try store.forEachCandidate(numbered: failed) { candidate in
        for (fold, fit) in candidate.fits.sorted(by: { $0.key < $1.key }) where failures.count < limit {
          guard let reason = fit.reason else { continue }
          failures.append(
            FitFailure(
              candidate: places[candidate.number] ?? 0, fold: fold % description.foldCount,
              estimator: candidate.estimator, parameters: try varied(candidate, names), worker: fit.worker,
              reason: reason, message: fit.scores.failure ?? ""))
        }
      }
      return failures
    }
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
  /// Goes once over the table: the ranking, the best candidates by a metric, and whatever else is asked of each
  /// candidate together with its means, nil for one of which no fold was tried.
  func survey(
    leaders count: Int, by position: Int,
    _ body: (_ index: Int, StoredCandidate, _ means: [Double]?) throws -> Void = { _, _, _ in }
  ) throws -> (ranking: StudyRanking, leaders: Leaders) {
    var ranking = StudyRanking(metricCount: description.metrics.count)
    var leaders = Leaders(count: count)
    try forEachStoredCandidate { index, candidate in
      let resource = resource(candidate)
      let means = means(candidate, resource)
      ranking.add(means, resource: resource)
      if let means { leaders.offer(candidate, at: index, resource: resource, score: means[position]) }
      try body(index, candidate, means)
    }
    ranking.finish()
    return (ranking, leaders)
  }

  func forEachStoredCandidate(_ body: (Int, StoredCandidate) throws -> Void) throws {
    var index = 0
    try store.forEachCandidate(of: description.number) { candidate in
      try body(index, candidate)
      index += 1
    }
  }

  func names() throws -> [String: Set<String>] {
    try store.variedParameters(of: description.number)
  }

  private func varied(
    _ candidate: StoredCandidate, _ names: [String: Set<String>]
  ) throws -> [String: ParameterValue] {
    let names = names[candidate.estimator] ?? []
    return try CandidateText.values(candidate.parameters).filter { names.contains($0.key) }
  }

  /// The most rows of the data set that all folds of a candidate stand for, or any fold where there are none
  /// such; 0 for a candidate without fits.
  func resource(_ candidate: StoredCandidate) -> Int {
    var folds: [Int: Int] = [:]
    for key in candidate.fits.keys { folds[key / description.foldCount, default: 0] += 1 }
    let whole = folds.filter { $0.value == description.foldCount }.keys
    let rows = whole.contains(0) ? 0 : whole.max() ?? (folds.keys.contains(0) ? 0 : folds.keys.max())
    return rows.map { $0 == 0 ? description.rowCount : $0 } ?? 0
  }

  /// The parts of the rows that a candidate was tried on all folds with, ascending, as numbers of rows of the data set;
  /// its ``resource(_:)`` is one of them whether all folds were tried or not. Empty for a candidate without fits.
  func stages(_ candidate: StoredCandidate) -> [Int] {
    guard !candidate.fits.isEmpty else { return [] }
    var folds: [Int: Int] = [:]
    for key in candidate.fits.keys { folds[key / description.foldCount, default: 0] += 1 }
    let whole = folds.filter { $0.value == description.foldCount }.keys
    return Set(whole.map { $0 == 0 ? description.rowCount : $0 } + [resource(candidate)]).sorted()
  }

  /// What became of a candidate on each fold, having learnt from as many rows as ``resource(_:)`` says.
  func fits(_ candidate: StoredCandidate, _ resource: Int) -> [TriedFit?] {
    let first = resource < description.rowCount ? resource * description.foldCount : 0
    return (0..<description.foldCount).map { candidate.fits[first + $0] }
  }

  /// The scores of a metric; NaN where there is none.
  func scores(_ fits: [TriedFit?], _ position: Int, train: Bool = false) -> [Double] {
    fits.map { fit in
      guard let scores = fit?.scores else { return .nan }
      let numbers = train ? scores.train : scores.test
      return numbers.indices.contains(position) ? numbers[position] : .nan
    }
  }

  /// The mean of each metric; nil when no fold was tried.
  func means(_ candidate: StoredCandidate, _ resource: Int) -> [Double]? {
    guard !candidate.fits.isEmpty else { return nil }
    let fits = fits(candidate, resource)
    return description.metrics.indices.map { meanAndDeviation(scores(fits, $0)).mean }
  }

  /// A candidate with its scores.
  ///
  /// - Parameters:
  ///   - index: its number in the study, from 0.
  ///   - names: the hyperparameters that vary, by estimator.
  ///   - ranking: its places; 0 without one.
  ///   - stage: which part of the rows it learnt from, where it is to be said even if that is all of them, and the row of
  ///     the ranking; its ``resource(_:)`` and its number unless given.
  func result(
    _ candidate: StoredCandidate, at index: Int, names: [String: Set<String>], _ ranking: StudyRanking?,
    stage: (iteration: Int, resource: Int, row: Int)? = nil
  ) throws -> CandidateResult {
    let estimator = try AnyEstimator(
      named: candidate.estimator, parameters: try CandidateText.values(candidate.parameters))
    let names = names[candidate.estimator] ?? []
    let resource = stage?.resource ?? resource(candidate)
    let fits = fits(candidate, resource)
    return CandidateResult(
      index: index, estimator: estimator, parameters: estimator.parameters.filter { names.contains($0.key) },
      stage: stage != nil || resource < description.rowCount
        ? SearchStage(candidate: index, iteration: stage?.iteration ?? 0, resource: resource) : nil,
      scores: description.metrics.enumerated().map { position, metric in
        var result = MetricResult(
          metric: metric, test: scores(fits, position),
          train: description.includesTrainScores ? scores(fits, position, train: true) : nil)
        result.rank = ranking?.rank(of: stage?.row ?? index, by: position) ?? 0
        return result
      },
      fitSeconds: fits.map { $0?.scores.fitSeconds ?? .nan },
      scoreSeconds: fits.map { fit in
        guard let fit, fit.reason == nil else { return .nan }
        return fit.scores.scoreSeconds
      },
      ends: FitEnds(fits.map { $0?.scores.convergence }))
  }
}
