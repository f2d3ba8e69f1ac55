import ApusML
import ApusParallel

/// Several halvings side by side, from many candidates with little of the resource to few with all of it
/// (Li et al., 2018).
///
/// Halvings are independent of each other, and their trials are numbered beforehand, so the order in which
/// they proceed changes nothing.
struct Hyperband: SearchStrategy {
  /// The halvings, the most eager first.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for bounds that do not ascend, a factor below 2, or more
  ///   candidates than a search can hold.
  static func brackets(smallest: Int, largest: Int, factor: Int) throws -> [HalvingSchedule] {
    guard factor >= 2, smallest >= 1, smallest <= largest else {
      throw ApusError(
        .invalidParameter,
        factor < 2
          ? "Hyperband needs a factor of at least 2, not \(factor)"
          : "Hyperband cannot begin with \(smallest) of \(largest)")
    }
    let most = HalvingSchedule.logarithm(largest / smallest, base: factor)
    // The most eager halving has so many candidates; the others, at most 23, have fewer.
    func checkCandidates(_ count: Int) throws {
      try SearchLimits.check(
        candidates: count, of: "Hyperband", hint: "raise the least of the resource, or lower the most of it")
    }
    try checkCandidates(HalvingSchedule.power(factor, most))
    let halvings = (0...most).reversed().map { bracket in
      let size = HalvingSchedule.power(factor, bracket)
      var candidates = ((most + 1) * size + bracket) / (bracket + 1)
      var iterations: [HalvingSchedule.Iteration] = []
      for iteration in 0...bracket {
        let resource = largest / HalvingSchedule.power(factor, bracket - iteration)
        iterations.append(HalvingSchedule.Iteration(candidates: candidates, resource: resource))
        candidates = max(1, candidates / factor)
      }
      return HalvingSchedule(iterations: iterations)
    }
    try checkCandidates(halvings.reduce(0) { $0 + $1.iterations[0].candidates })
    return halvings
  }

  private var halvings: [SuccessiveHalving] = []
  /// Where the trials of each halving begin.
  private var starts: [Int] = []
  private(set) var expectedTrials = 0

  init(_ source: CandidateSource, _ schedules: [HalvingSchedule]) {
    var candidate = 0
    for schedule in schedules {
      starts.append(expectedTrials)
      halvings.append(
        SuccessiveHalving(
          source, schedule, firstCandidate: candidate, firstTrial: expectedTrials))
      candidate += schedule.iterations[0].candidates
      expectedTrials += schedule.trialCount
    }
  }

  var mostResource: Int? { halvings.compactMap(\.mostResource).max() }

  mutating func ask(_ count: Int) throws -> [Trial] {
    var trials: [Trial] = []
    for index in halvings.indices where trials.count < count { trials += try halvings[index].ask(count) }
    return trials
  }

  mutating func tell(_ trial: Trial, score: Double) {
    guard let halving = starts.lastIndex(where: { $0 <= trial.index }) else { return }
    halvings[halving].tell(trial, score: score)
  }
}
