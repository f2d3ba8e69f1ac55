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
  func collect() throws -> ReportData {
    let description = study.description
    let progress = try study.progress()
    let ranking = try study.ranking()
    let position = try study.position(of: description.refitMetric)
    let others = Self.mostCandidates - Self.mostBest
    let stride = max(1, (progress.candidates + others - 1) / others)
    let takesAll = progress.candidates <= Self.mostCandidates
    var drawn: [CandidateResult] = []
    let varied = try study.names()
    try study.forEachStoredCandidate { index, candidate in
      let isBest = (1...Self.mostBest).contains(ranking.rank(of: index, by: position))
      guard !candidate.fits.isEmpty, takesAll || isBest || index % stride == 0 else { return }
      drawn.append(try study.result(candidate, at: index, names: varied, ranking))
    }
    let names = Set(drawn.flatMap(\.parameters.keys)).sorted()
    return ReportData(
      revision: progress.fits * 31 + progress.candidates, path: path, number: description.number,
      created: description.created, version: description.version, command: description.note,
      rows: description.rowCount, features: description.featureCount, target: description.targetName,
      dataDigest: description.dataDigest.hexadecimal, splitter: description.splitter,
      seed: description.seed.value, metrics: description.metrics, metric: description.refitMetric,
      hasTrainScores: description.includesTrainScores, hasResource: progress.partialFits > 0,
      candidateCount: progress.candidates, fitCount: progress.fits, failureCount: progress.failures,
      isSampled: drawn.count < progress.candidates, estimators: Set(drawn.map(\.estimator.name)).sorted(),
      parameters: names, candidates: drawn.map { point($0, position) }, leaders: try leaders(position),
      curves: try curves(position, hasParts: progress.partialFits > 0),
      importances: ParameterImportance.shares(of: drawn, names, metric: position),
      progress: try bestSoFar(position), timeline: try timeline(), failures: try failures())
  }

  private func point(_ candidate: CandidateResult, _ position: Int) -> ReportData.Candidate {
    let score = candidate.scores[position]
    return ReportData.Candidate(
      candidate: candidate.index, estimator: candidate.estimator.name,
      parameters: candidate.parameters.mapValues(\.finite), mean: score.mean.orNull,
      trainMean: score.train.flatMap { meanAndDeviation($0).mean.orNull },
      fitSeconds: meanAndDeviation(candidate.fitSeconds.filter { !$0.isNaN }).mean.orNull)
  }

  private func leaders(_ position: Int) throws -> [ReportData.Leader] {
    let leaders = try study.leaderboard(Self.mostLeaders)
    return leaders.enumerated().map { place, candidate in
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
        resource: candidate.stage?.resource ?? study.description.rowCount)
    }
  }

  private func curves(_ position: Int, hasParts: Bool) throws -> [ReportData.Curve] {
    guard hasParts else { return [] }
    var curves: [ReportData.Curve] = []
    let folds = study.description.foldCount
    try study.forEachStoredCandidate { index, candidate in
      let parts = Dictionary(grouping: candidate.fits) { $0.key / folds }.filter { $0.value.count == folds }
      guard parts.count > 1, curves.count < Self.mostCurves else { return }
      let points = parts.map { part, fits in
        (
          rows: part == 0 ? study.description.rowCount : part,
          mean: meanAndDeviation(study.scores(fits.map(\.value), position)).mean
        )
      }.filter { $0.mean.isFinite }.sorted { $0.rows < $1.rows }
      curves.append(
        ReportData.Curve(candidate: index, rows: points.map(\.rows), means: points.map(\.mean)))
    }
    return curves
  }

  private func timeline() throws -> [ReportData.TimedFit] {
    try study.store.timeline(of: study.description.number, limit: Self.mostTimedFits).map { fit in
      ReportData.TimedFit(
        worker: "process \(fit.session), \(fit.worker ?? "unknown")", end: fit.finished,
        seconds: fit.seconds.isFinite ? fit.seconds : 0, failed: fit.hasFailed)
    }
  }

  private func bestSoFar(_ position: Int) throws -> [ReportData.Step] {
    var ends: [(time: Double, mean: Double)] = []
    let times = try study.store.finishTimes(
      of: study.description.number, foldCount: study.description.foldCount)
    try study.forEachStoredCandidate { _, candidate in
      guard let time = times[candidate.number] else { return }
      let fits = study.fits(candidate, study.description.rowCount)
      let mean = meanAndDeviation(study.scores(fits, position)).mean
      if mean.isFinite { ends.append((time, mean)) }
    }
    var steps: [ReportData.Step] = []
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
