import ApusML
import ApusParallel
import Foundation

/// What is under way in an adaptive search: trials, the fits that they wait for, and what is known.
struct TrialLoop<Strategy: SearchStrategy> {
  let run: AdaptiveRun
  private let session: any FitSession
  private let foldCount: Int
  /// How many fits run at once; more when workers join.
  var slots: Int { didSet { ahead = max(ahead, 2 * slots) } }
  private var strategy: Strategy
  private(set) var trials: [Int: OpenTrial] = [:]
  /// Everything finished that this process has heard of.
  private var known: [FitKey: TriedFit] = [:]
  /// The trials that wait for a fit.
  private var waiting: [FitKey: [Int]] = [:]
  /// Fits that are wanted and not claimed, because they are new or in the hands of another process.
  private var wishes: [FitKey] = []
  private var claimed: [FitKey] = []
  private var inFlight = Set<FitKey>()
  private var estimators: [Int: AnyEstimator] = [:]
  private(set) var hasNewWishes = false
  /// Whether fits have come since the strategy was last asked.
  private(set) var hasNews = false
  /// Whether nothing more is begun, and what runs is stopped.
  var isStopping = false
  /// Whether nothing more is begun, but what is under way is finished.
  private var isSated = false
  private(set) var stopReason: String?
  /// The last trial of the results, where a rule ended the search.
  private(set) var lastTrial: Int?
  private var watch: StopWatch
  /// The first so many trials are closed.
  private var closedPrefix = 0
  private var asked = 0
  private var openedFits = 0
  /// The fits that the first so many trials were given, all of which are closed where candidates race.
  private var counted = (trials: 0, fits: 0)
  /// Fits that were finished before this search began and were not told of yet.
  private var restored = (fits: 0, failures: 0)
  private var expectedFits: Int
  private var decisions: [String] = []
  private var step = 0
  /// How many fits are started ahead.
  private var ahead: Int
  private var lastTake = ContinuousClock.now
  /// The best of the first so many trials, for racing.
  private var leader: (seen: Int, mean: Double, scores: [Double]?) = (0, -.infinity, nil)

  init(_ run: AdaptiveRun, _ strategy: Strategy, _ session: any FitSession, slots: Int) throws {
    self.run = run
    self.session = session
    self.strategy = strategy
    self.slots = slots
    foldCount = run.setup.splits.count
    if let most = run.rules.mostFits, most < foldCount {
      throw ApusError(
        .invalidParameter,
        "a limit of \(most) fits leaves no candidate that is tried on all \(foldCount) folds",
        hint: "allow at least \(foldCount) fits, or use fewer folds")
    }
    // A search that a rule ends holds what was made until then.
    try SearchLimits.check(
      candidates: min(strategy.expectedTrials, (run.rules.mostFits ?? .max) / foldCount), folds: foldCount)
    watch = StopWatch(run.rules)
    ahead = 2 * slots
    expectedFits = strategy.expectedTrials * foldCount
    var known: [FitKey: TriedFit] = [:]
    _ = try session.claim([]) { known[$0.key] = $0.fit }
    self.known = known
    if strategy.dependsOnOrder { decisions = try session.decisions(of: run.name, from: 0) }
    run.onEvent?(.started(candidates: strategy.expectedTrials, folds: foldCount, fits: expectedFits))
  }

  /// How many fits are with the backend.
  var fitsInFlight: Int { inFlight.count }

  /// Whether fits are under way, here or in other processes.
  var isWaiting: Bool { !wishes.isEmpty || !claimed.isEmpty || !inFlight.isEmpty }

  /// Ends the search: nothing more is begun, and what runs is stopped.
  mutating func stop(_ reason: String) {
    isStopping = true
    stopReason = stopReason ?? reason
  }

  // MARK: Opening trials

  /// Asks the strategy as long as slots would be idle, and opens what it answers.
  mutating func openTrials() throws {
    hasNews = false
    defer {
      if restored.fits > 0 { run.onEvent?(.restored(fits: restored.fits, failures: restored.failures)) }
      restored = (0, 0)
    }
    while !isStopping, !isSated {
      let busy = inFlight.count + claimed.count + wishes.count
      let target = strategy.dependsOnOrder ? slots : ahead
      guard busy < target else { return }
      var count = max(1, (target - busy) / foldCount)
      if let racing = run.racing { count = min(count, closedPrefix + racing.lag - asked) }
      guard count > 0 else { return }
      let trials = try nextTrials(count)
      guard !trials.isEmpty else { return }
      try open(trials)
    }
  }

  private mutating func nextTrials(_ count: Int) throws -> [Trial] {
    guard strategy.dependsOnOrder else { return try strategy.ask(count) }
    if step == decisions.count { decisions += try session.decisions(of: run.name, from: step) }
    if step == decisions.count {
      var trying = strategy
      guard let stage = try trying.ask(1).first?.stage else { return [] }
      let decision = TrialDecision(candidate: stage.candidate, iteration: stage.iteration)
      let text = String(decoding: try JSONEncoder.jobs.encode(decision), as: UTF8.self)
      decisions.append(try session.decide(text, step: step, of: run.name))
    }
    guard let decision = try? JSONDecoder.jobs.decode(TrialDecision.self, from: Data(decisions[step].utf8))
    else { throw ApusError(.format, "the study's log of decisions is damaged") }
    step += 1
    return [try strategy.repeating(decision)]
  }

  private mutating func open(_ asked: [Trial]) throws {
    for trial in asked { try trial.estimator.base.validate() }
    let numbers = try session.add(asked.map { ($0.estimator, Array($0.parameters.keys)) })
    for (trial, number) in zip(asked, numbers) {
      if let most = run.rules.mostFits, fits(before: trial.index) + foldCount > most {
        stopReason = stopReason ?? "the limit of \(most) fits was reached"
        isSated = true
        break
      }
      openedFits += foldCount
      self.asked += 1
      estimators[number] = trial.estimator
      var open = OpenTrial(trial: trial, number: number, foldCount: foldCount)
      if let racing = run.racing { open.rival = rival(upTo: trial.index - racing.lag) }
      trials[trial.index] = open
      want((run.racing?.fewestFolds).map { min($0, foldCount) } ?? foldCount, of: trial.index)
    }
    let expected = isSated ? openedFits : max(openedFits, strategy.expectedTrials * foldCount)
    if expected != expectedFits {
      expectedFits = expected
      run.onEvent?(.extended(fits: expected))
    }
  }

  /// The number of fits that trials before one count for. Where candidates race, it is what was made of those that
  /// are surely closed, and all folds of the others: a number that does not depend on which fits end first.
  private mutating func fits(before index: Int) -> Int {
    guard let racing = run.racing else { return openedFits }
    while counted.trials <= index - racing.lag {
      counted.fits += trials[counted.trials]?.wanted ?? 0
      counted.trials += 1
    }
    return counted.fits + (index - counted.trials) * foldCount
  }

  /// The scores of the best of the first trials, all of which are closed.
  private mutating func rival(upTo last: Int) -> [Double]? {
    while leader.seen <= last {
      if let trial = trials[leader.seen] {
        let scores = trial.scores(run.setup.refitPosition)
        let mean = meanAndDeviation(scores).mean
        if mean > leader.mean { leader = (leader.seen, mean, scores) }
      }
      leader.seen += 1
    }
    return leader.scores
  }

  /// Wishes for the first folds of a trial.
  private mutating func want(_ folds: Int, of index: Int) {
    guard var open = trials[index] else { return }
    for fold in open.wanted..<folds {
      let key = open.key(fold)
      if let fit = known[key] {
        open.fits[fold] = fit
      } else {
        if waiting[key] == nil {
          wishes.append(key)
          hasNewWishes = true
        }
        waiting[key, default: []].append(index)
      }
    }
    for case let fit? in open.fits[open.wanted..<folds] {
      restored.fits += 1
      if fit.reason != nil { restored.failures += 1 }
    }
    open.wanted = folds
    trials[index] = open
    settle(index)
  }

  // MARK: Fits

  /// Claims what is wished for, and takes what others have finished.
  mutating func claim() throws {
    hasNewWishes = false
    guard !wishes.isEmpty else { return }
    var news: [FinishedFit] = []
    let granted = try session.claim(wishes) { news.append($0) }
    claimed += granted
    let ours = Set(granted)
    wishes.removeAll { ours.contains($0) }
    for finished in news { deliver(finished) }
  }

  /// What was claimed, as jobs; candidates that can share work are put together.
  mutating func takeBatches(_ template: FitAndScore) -> [Batch] {
    let byRows = Dictionary(grouping: claimed) { $0.fold / foldCount }
    inFlight.formUnion(claimed)
    claimed = []
    return byRows.sorted { $0.key < $1.key }.map { rows, keys in
      let wanted = Set(keys)
      let numbers = Set(keys.map(\.candidate)).sorted()
      let made = numbers.compactMap { estimators[$0] }
      let plan = FitPlan(
        representatives: made.map { JointFit.representative(of: $0) }, folds: foldCount, slots: slots)
      var batch = Batch()
      for index in 0..<plan.jobCount {
        let (members, fold) = plan.job(at: index)
        let places = members.map(Int.init).filter { place in
          wanted.contains(FitKey(candidate: numbers[place], fold: rows * foldCount + fold))
        }
        guard !places.isEmpty else { continue }
        var job = template
        job.fold = fold
        job.trainRows = rows > 0 ? rows : nil
        job.candidates = places.map { made[$0] }
        batch.jobs.append(job)
        batch.keys.append(places.map { FitKey(candidate: numbers[$0], fold: rows * foldCount + fold) })
      }
      return batch
    }
  }

  /// Takes fits that have been committed.
  mutating func take(_ fits: [FinishedFit]) {
    let seconds = max(1e-6, lastTake.duration(to: .now) / .seconds(1))
    lastTake = .now
    let wanted = Int(min(Double(AdaptiveRun.mostAhead), Double(fits.count) / seconds * AdaptiveRun.aheadTime))
    ahead = max(2 * slots, (ahead + wanted) / 2)
    for finished in fits {
      inFlight.remove(finished.key)
      deliver(finished)
    }
  }

  /// Forgets fits that were stopped.
  mutating func letGo(_ keys: [FitKey]) { inFlight.subtract(keys) }

  private mutating func deliver(_ finished: FinishedFit) {
    guard known.updateValue(finished.fit, forKey: finished.key) == nil else { return }
    guard let indices = waiting.removeValue(forKey: finished.key) else { return }
    hasNews = true
    wishes.removeAll { $0 == finished.key }
    let fold = finished.key.fold % foldCount
    for index in indices {
      trials[index]?.fits[fold] = finished.fit
      report(index, fold)
      settle(index)
    }
  }

  // MARK: Closing trials

  /// Closes a trial of which everything is known, or goes on to its next fold.
  private mutating func settle(_ index: Int) {
    guard let open = trials[index], !open.isClosed, open.fits.prefix(open.wanted).allSatisfy({ $0 != nil })
    else { return }
    let scores = open.scores(run.setup.refitPosition)
    if open.wanted < foldCount {
      if let racing = run.racing, let rival = open.rival,
        racing.isHopeless(
          Array(scores.prefix(open.wanted)), beside: Array(rival.prefix(open.wanted)),
          testRatio: run.setup.testRatio)
      {
        openedFits -= foldCount - open.wanted
      } else {
        want(open.wanted + 1, of: index)
        return
      }
    }
    trials[index]?.isClosed = true
    // What is known of a trial that was given up says enough to a model.
    strategy.tell(open.trial, score: meanAndDeviation(Array(scores.prefix(open.wanted))).mean)
    run.onEvent?(
      .candidateFinished(
        index: index, estimator: open.trial.estimator, parameters: open.trial.parameters,
        means: run.setup.metrics.indices.map { meanAndDeviation(open.scores($0)).mean },
        resource: open.trial.stage?.resource))
    watchPrefix()
  }

  private mutating func watchPrefix() {
    while let next = trials[closedPrefix], next.isClosed {
      let hasAll = next.trial.stage.map { $0.resource == strategy.mostResource } ?? true
      let mean = meanAndDeviation(next.scores(run.setup.refitPosition)).mean
      if hasAll, let reason = watch.take(mean), lastTrial == nil {
        lastTrial = closedPrefix
        stop(reason)
      }
      closedPrefix += 1
    }
  }

  private func report(_ index: Int, _ fold: Int) {
    guard let onEvent = run.onEvent, let open = trials[index], let fit = open.fits[fold] else { return }
    onEvent(
      .fitFinished(
        candidate: index, fold: fold, scores: fit.scores.test, failure: open.failure(fold)))
  }
}
