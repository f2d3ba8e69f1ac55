import ApusML
import ApusParallel

/// Runs the trials of a strategy on a backend, and through a journal where there is one.
///
/// One loop asks the strategy, starts fits, commits what has ended and tells the strategy; fits run beside it.
struct AdaptiveRun: Sendable {
  let setup: SearchSetup
  let rules: StopRules
  let racing: Racing?
  /// Names the search in the journal: equal names stand for equal searches.
  let name: String
  let onEvent: (@Sendable (SearchEvent) -> Void)?

  /// How long to wait before asking again whether other processes have finished what they took.
  private static var pollInterval: Duration { .milliseconds(250) }
  /// The time for which fits are started ahead, so that slots do not wait for this loop.
  static var aheadTime: Double { 0.25 }
  static var mostAhead: Int { 4_096 }

  private enum Event: Sendable {
    case result(batch: Int, JobResult<[FitScores]>)
    case ended(batch: Int)
    case wakeUp
  }

  /// Runs until the strategy has nothing more to try, a rule ends the search, or it is cancelled.
  ///
  /// - Throws: ``ApusError``: what the journal or the strategy throws; `job` when every fit failed, `cancelled`
  ///   when nothing was finished.
  func run(
    _ strategy: some SearchStrategy, on backend: some ParallelBackend, _ cancellation: Cancellation
  ) async throws -> SearchResults {
    try await setup.withTemplate(on: backend, cancellation) { template in
      let session = try await session()
      do {
        var loop = try TrialLoop(self, strategy, session, slots: backend.capacity.slots)
        try await run(&loop, template, session, on: backend, cancellation)
        if !cancellation.isCancelled {
          // Results are not lost with a note that cannot be kept.
          try? session.note(loop.stopReason ?? "all that the search meant to try was tried", among: .endings)
        }
        await session.end()
        return try loop.results(isCancelled: cancellation.isCancelled)
      } catch {
        await session.end()
        throw error
      }
    }
  }

  private func session() async throws -> any FitSession {
    guard let journal = setup.options.journal else { return UnkeptSession() }
    return try await journal.begin(setup.journaledSearch())
  }

  private func run(
    _ loop: inout TrialLoop<some SearchStrategy>, _ template: FitAndScore, _ session: any FitSession,
    on backend: some ParallelBackend, _ cancellation: Cancellation
  ) async throws {
    let stop = Cancellation(parent: cancellation)
    let events = EventQueue<Event>()
    let start = ContinuousClock.now
    let runOptions = RunOptions(seed: setup.options.seed, cancellation: stop)
    var batches: [Int: Batch] = [:]
    var batchCount = 0
    var lastPoll = start
    var problem: (any Error)?
    var pace = CommitPace()
    await withTaskGroup(of: Void.self) { group in
      if let budget = rules.timeBudget {
        group.addTask {
          try? await Task.sleep(until: start + budget)
          events.append(.wakeUp)
        }
      }
      while true {
        do {
          if let budget = rules.timeBudget, start.duration(to: .now) >= budget {
            loop.stop("the time budget of \(budget) is used up")
          }
          if cancellation.isCancelled { loop.isStopping = true }
          let slots = backend.capacity.slots
          if slots != loop.slots { loop.slots = slots }
          if problem == nil, !loop.isStopping { try loop.openTrials() }
          if loop.isStopping { stop.cancel() }
          if problem == nil, !loop.isStopping {
            if lastPoll + Self.pollInterval <= .now || loop.hasNewWishes {
              try loop.claim()
              lastPoll = .now
            }
            for batch in loop.takeBatches(template) {
              let (number, jobs) = (batchCount, batch.jobs)
              batches[number] = batch
              batchCount += 1
              group.addTask {
                for await result in backend.run(jobs, options: runOptions) {
                  events.append(.result(batch: number, result))
                }
                events.append(.ended(batch: number))
              }
            }
          }
        } catch {
          problem = problem ?? error
          stop.cancel()
        }
        // What others have finished may let the strategy go on.
        if loop.hasNews, problem == nil, !loop.isStopping { continue }
        if batches.isEmpty, problem != nil || loop.isStopping || !loop.isWaiting { break }
        if loop.isWaiting, batches.isEmpty {
          group.addTask {
            try? await Task.sleep(for: Self.pollInterval)
            events.append(.wakeUp)
          }
        }
        let come = await events.next()
        var fits: [FinishedFit] = []
        for event in come {
          switch event {
          case .wakeUp: break
          case .ended(let number):
            if let batch = batches.removeValue(forKey: number) { loop.letGo(batch.unfinished) }
          case .result(let number, let result):
            fits += batches[number]?.finish(result) ?? []
          }
        }
        guard problem == nil, !fits.isEmpty else { continue }
        do {
          let commitStart = ContinuousClock.now
          try await session.commit(fits.filter(\.fit.isConclusive))
          pace.note(commit: commitStart.duration(to: .now))
          loop.take(fits)
        } catch {
          problem = error
          stop.cancel()
        }
        if setup.options.journal != nil {
          // Until this loop goes on, nothing takes the place of what has ended, and a slot may be idle.
          await pace.gather { [underWay = loop.fitsInFlight, slots = loop.slots] in
            let come = events.count
            return 2 * come >= underWay || underWay - come < slots
          }
        }
      }
      group.cancelAll()
    }
    if let problem { throw problem }
  }
}

/// Jobs that were started together, and the fits that they stand for.
struct Batch {
  var jobs: [FitAndScore] = []
  /// The fits of each job, in the order of its candidates; none once it has ended.
  var keys: [[FitKey]] = []

  /// The fits of a job that has ended; none when it was cancelled.
  mutating func finish(_ result: JobResult<[FitScores]>) -> [FinishedFit] {
    let fits = result.outcome.fits(keys[result.index].count)
    guard !fits.isEmpty else { return [] }
    defer { keys[result.index] = [] }
    return zip(keys[result.index], fits).map { FinishedFit(key: $0, fit: $1) }
  }

  /// Fits that have not ended.
  var unfinished: [FitKey] { keys.flatMap { $0 } }
}
