import ApusParallel

extension SearchRun {
  /// How long to wait before asking again whether other processes have finished what they took.
  private static var pollInterval: Duration { .milliseconds(250) }
  /// Results that may wait for their commit.
  private static var mostUncommitted: Int { 65_536 }

  /// Makes the fits that the journal does not have, and enters those that it has.
  ///
  /// - Throws: ``ApusError`` when the journal refuses the search or cannot be written.
  func journaledFits(
    _ plan: FitPlan, _ template: FitAndScore, _ journal: any FitJournal, on backend: some ParallelBackend,
    _ cancellation: Cancellation
  ) async throws -> ScoreSheet {
    let session = try await journal.begin(journaledSearch(template))
    do {
      let sheet = try await fits(plan, template, session, on: backend, cancellation)
      await session.end()
      return sheet
    } catch {
      await session.end()
      throw error
    }
  }

  private func journaledSearch(_ template: FitAndScore) -> JournaledSearch {
    let candidates = candidates
    return JournaledSearch(
      identity: setup.identity(template), task: setup.task, refitMetric: setup.refitMetric,
      candidateCount: candidates.count,
      candidate: { index in
        let (estimator, parameters) = try candidates.described(at: index)
        return (estimator, Array(parameters.keys))
      })
  }

  private func fits(
    _ plan: FitPlan, _ template: FitAndScore, _ session: any FitSession, on backend: some ParallelBackend,
    _ cancellation: Cancellation
  ) async throws -> ScoreSheet {
    let places = Dictionary(grouping: 0..<candidates.count) { session.candidateNumbers[$0] }
    let jobs = JournaledJobs(
      plan, candidates, template, session: session, slots: backend.capacity.slots,
      firstPlace: places.mapValues { $0[0] })
    var sheet = startedSheet()
    try restore(session, jobs, places, &sheet)
    while sheet.finishedFits < candidates.count * splits.count, !cancellation.isCancelled {
      try await commitAll(jobs, session, on: backend, cancellation) { fits in
        for fit in fits { enter(fit, jobs, places, &sheet, reports: onEvent != nil) }
      }
      guard jobs.leftToOthers, !cancellation.isCancelled else { break }
      try? await Task.sleep(for: Self.pollInterval)
      if Task.isCancelled { break }
    }
    return sheet
  }

  /// Enters what was finished before this run, and tells so in one event.
  private func restore(
    _ session: any FitSession, _ jobs: JournaledJobs, _ places: [Int: [Int]], _ sheet: inout ScoreSheet
  ) throws {
    _ = try session.claim([]) { enter($0, jobs, places, &sheet, reports: false) }
    guard let onEvent, sheet.finishedFits > 0 else { return }
    onEvent(.restored(fits: sheet.finishedFits, failures: sheet.failures.count))
    for candidate in 0..<candidates.count where sheet.isFinished(candidate) {
      reportFinished(candidate, sheet)
    }
  }

  /// Runs what can be claimed; fits are entered when they have been committed, in batches.
  private func commitAll(
    _ jobs: JournaledJobs, _ session: any FitSession, on backend: some ParallelBackend,
    _ cancellation: Cancellation, enter: ([FinishedFit]) -> Void
  ) async throws {
    let stop = Cancellation(parent: cancellation)
    let queue = ResultQueue<(index: Int, fits: [TriedFit])>(limit: Self.mostUncommitted)
    let runOptions = RunOptions(seed: options.seed, cancellation: stop)
    async let receiving: Void = {
      await backend.runFits(jobs, options: runOptions) { await queue.append(($0, $1)) }
      queue.finish()
    }()
    var problem: (any Error)?
    var pace = CommitPace()
    while let results = await queue.next() {
      // After a failed commit results are let go of, until the running jobs have ended.
      guard problem == nil else { continue }
      let fits = results.flatMap { finishedFits($0.index, $0.fits, jobs) }
      let start = ContinuousClock.now
      do {
        try await session.commit(fits.filter(\.fit.isConclusive))
        pace.note(commit: start.duration(to: .now))
        enter(fits + jobs.takeNews())
      } catch {
        problem = error
        stop.cancel()
      }
      await pace.gather { queue.isPressing }
    }
    await receiving
    if let problem { throw problem }
    enter(jobs.takeNews())
    try jobs.check()
  }

  /// The fits of a job that has ended; none when it was cancelled.
  private func finishedFits(_ index: Int, _ fits: [TriedFit], _ jobs: JournaledJobs) -> [FinishedFit] {
    guard let share = jobs.share(ofJob: index) else { return [] }
    return zip(share.candidates, fits).map { place, fit in
      FinishedFit(key: FitKey(candidate: jobs.number(ofPlace: place), fold: share.fold), fit: fit)
    }
  }

  /// Enters a fit for all equal candidates.
  private func enter(
    _ finished: FinishedFit, _ jobs: JournaledJobs, _ places: [Int: [Int]], _ sheet: inout ScoreSheet,
    reports: Bool
  ) {
    let fold = finished.key.fold
    guard let equal = places[finished.key.candidate], fold < splits.count,
      jobs.markFinished(place: equal[0], fold: fold)
    else { return }
    for place in equal {
      let failure = enter(finished.fit, candidate: place, fold: fold, &sheet)
      if reports { report(place, fold, finished.fit.scores.test, failure, sheet) }
    }
  }
}
