import ApusML
import ApusParallel
import ApusSearch

/// Gathers what the report of a study shows: everything of a small study, a sample of a large one.
struct ReportCollector {
  /// Candidates that charts draw: the best ones, and every so manieth of the others.
  private static let mostCandidates = 2_000
  private static let mostBest = 500
  private static let mostLeaders = 20
  private static let mostCurves = 200
  private static let mostTimedFits = 3_000
  private static let mostFailures = 1_000

  let study: Study
  let path: String

  /// - Throws: ``ApusError`` when the study cannot be read.
  func collect() throws -> ReportData { try study.atOneMoment(collectAll) }

  private func collectAll() throws -> ReportData {
    let description = study.description
    let progress = try study.progress()
    let position = try study.position(of: description.refitMetric)
    var numbers: [Int] = []
    var ends: [(time: Double, mean: Double, resource: Int)] = []
    var curves: [ReportData.Curve] = []
    let (ranking, leaders) = try study.survey(leaders: Self.mostLeaders, by: position) {
      index, candidate, means in
      numbers.append(candidate.number)
      if let mean = means?[position], mean.isFinite {
        ends.append((candidate.lastFinished, mean, study.resource(candidate)))
      }
      if progress.partialFits > 0, curves.count < Self.mostCurves,
        let curve = curve(candidate, at: index, position)
      {
        curves.append(curve)
      }
    }
    let varied = try study.names()
    let drawn = try drawn(numbers, ranking, position, varied)
    let names = Set(drawn.flatMap(\.parameters.keys)).sorted()
    return ReportData(
      revision: progress.fits * 31 + progress.candidates, path: path, number: description.number,
      created: description.created, version: description.version, commands: try study.notes(),
      rows: description.rowCount, features: description.featureCount, target: description.targetName,
      dataDigest: description.dataDigest.hexadecimal, splitter: description.splitter,
      seed: "\(description.seed.value)", metrics: description.metrics, metric: description.refitMetric,
      hasTrainScores: description.includesTrainScores, hasResource: progress.partialFits > 0,
      candidateCount: progress.candidates, fitCount: progress.fits, failureCount: progress.failures,
      isSampled: drawn.count < progress.candidates, estimators: Set(drawn.map(\.estimator.name)).sorted(),
      parameters: names, candidates: drawn.map { point($0, position) },
      leaders: rows(
        try leaders.all.map { try study.result($0.candidate, at: $0.index, names: varied, ranking) }, position
      ),
      nested: try study.nestedResults().map(nested), curves: curves,
      importances: ParameterImportance.shares(of: drawn, names, metric: position),
      progress: bestSoFar(ends), timeline: try timeline(), failures: try failures())
  }

  /// The candidates that charts draw: all of a small study, otherwise the best and a sample of the others.
  private func drawn(
    _ numbers: [Int], _ ranking: StudyRanking, _ position: Int, _ varied: [String: Set<String>]
  ) throws -> [CandidateResult] {
    var chosen = Array(numbers.indices)
    if numbers.count > Self.mostCandidates {
      let others = Self.mostCandidates - Self.mostBest
      let stride = (numbers.count + others - 1) / others
      let sample = Swift.stride(from: 0, to: numbers.count, by: stride)
      chosen = Set(ranking.best(Self.mostBest, by: position)).union(sample).sorted()
    }
    let places = Dictionary(uniqueKeysWithValues: chosen.map { (numbers[$0], $0) })
    var drawn: [CandidateResult] = []
    try study.store.forEachCandidate(numbered: chosen.map { numbers[$0] }) { candidate in
      guard let index = places[candidate.number], !candidate.fits.isEmpty else { return }
      drawn.append(try study.result(candidate, at: index, names: varied, ranking))
    }
    return drawn
  }

  private func point(_ candidate: CandidateResult, _ position: Int) -> ReportData.Candidate {
    let score = candidate.scores[position]
    return ReportData.Candidate(
      candidate: candidate.index, estimator: candidate.estimator.name,
      parameters: candidate.parameters.mapValues(\.finite), mean: score.mean.orNull,
      trainMean: score.train.flatMap { meanAndDeviation($0).mean.orNull },
      fitSeconds: meanAndDeviation(candidate.fitSeconds.filter { !$0.isNaN }).mean.orNull)
  }

  private func rows(_ leaders: [CandidateResult], _ position: Int) -> [ReportData.Leader] {
    leaders.enumerated().map { place, candidate in
      let score = candidate.scores[position]
      var interval: [Double]?
      if place > 0, score.test.count > 1, candidate.stage?.resource == leaders[0].stage?.resource {
        let test = CorrectedResampledTTest(
          differences: zip(leaders[0].scores[position].test, score.test).map { $0 - $1 },
          testRatio: study.description.identity.testRatio)
        let range = test.interval(0.95)
        if range.lowerBound.isFinite { interval = [range.lowerBound, range.upperBound] }
      }
      return ReportData.Leader(
        candidate: candidate.index, rank: score.rank, estimator: candidate.estimator.name,
        parameters: candidate.parameters.mapValues(\.finite), mean: score.mean.orNull,
        deviation: score.standardDeviation.orNull, means: candidate.scores.map(\.mean.orNull),
        deviations: candidate.scores.map(\.standardDeviation.orNull), interval: interval,
        fitSeconds: meanAndDeviation(candidate.fitSeconds.filter { !$0.isNaN }).mean.orNull,
        resource: candidate.stage?.resource ?? study.description.rowCount,
        unconverged: candidate.unconvergedFolds.count, iterations: candidate.mostIterations)
    }
  }

  private func nested(_ results: NestedResults) -> [ReportData.Nested] {
    results.metrics.enumerated().map { position, metric in
      let (mean, deviation) = results.summary(of: position)
      return ReportData.Nested(
        metric: metric, mean: mean.orNull, deviation: deviation.orNull, splits: results.folds.count)
    }
  }

  /// The means of a candidate that was tried on several parts of the rows.
  private func curve(_ candidate: StoredCandidate, at index: Int, _ position: Int) -> ReportData.Curve? {
    let folds = study.description.foldCount
    let parts = Dictionary(grouping: candidate.fits) { $0.key / folds }.filter { $0.value.count == folds }
    guard parts.count > 1 else { return nil }
    let points = parts.map { part, fits in
      func mean(train: Bool) -> Double {
        meanAndDeviation(study.scores(fits.map(\.value), position, train: train)).mean
      }
      return (
        rows: part == 0 ? study.description.rowCount : part, mean: mean(train: false),
        train: mean(train: true)
      )
    }.filter { $0.mean.isFinite }.sorted { $0.rows < $1.rows }
    return ReportData.Curve(
      candidate: index, rows: points.map(\.rows), means: points.map(\.mean),
      trainMeans: study.description.includesTrainScores ? points.map(\.train.orNull) : nil)
  }

  private func timeline() throws -> [ReportData.TimedFit] {
    try study.store.timeline(of: study.description.number, limit: Self.mostTimedFits).map { fit in
      ReportData.TimedFit(
        worker: "process \(fit.session), \(fit.worker ?? "unknown")", end: fit.finished,
        seconds: fit.seconds.isFinite ? fit.seconds : 0, failed: fit.hasFailed)
    }
  }

  /// By those that learnt from the most rows that any candidate did: others' scores are not to be compared with theirs.
  private func bestSoFar(_ ends: [(time: Double, mean: Double, resource: Int)]) -> [ReportData.Step] {
    var steps: [ReportData.Step] = []
    let most = ends.map(\.resource).max()
    let ends = ends.filter { $0.resource == most }
    for end in ends.sorted(by: { $0.time < $1.time }) where end.mean > steps.last?.best ?? -.infinity {
      steps.append(ReportData.Step(time: end.time, best: end.mean))
    }
    if let last = ends.map(\.time).max(), let best = steps.last?.best {
      steps.append(ReportData.Step(time: last, best: best))
    }
    return steps
  }

  private func failures() throws -> [ReportData.Failure] {
    let failures = try study.failures(limit: Self.mostFailures)
    let groups = Dictionary(grouping: failures) { $0.reason.rawValue + $0.message }
    return groups.values.sorted { ($1.count, $0[0].candidate) < ($0.count, $1[0].candidate) }.prefix(50).map {
      ReportData.Failure(
        count: $0.count, reason: $0[0].reason.rawValue, message: $0[0].message, estimator: $0[0].estimator,
        parameters: $0[0].parameters.mapValues(\.finite), fold: $0[0].fold)
    }
  }
}

extension ParameterValue {
  /// The value, numbers that JSON does not have as words.
  fileprivate var finite: ParameterValue {
    if case .real(let number) = self, !number.isFinite { .string("\(number)") } else { self }
  }
}
