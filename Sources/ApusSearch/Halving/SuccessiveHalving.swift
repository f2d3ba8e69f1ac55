import ApusML
import ApusParallel

/// Tries all candidates with little of a resource, the best of them with more, and so on (Jamieson and
/// Talwalkar, 2016).
struct SuccessiveHalving: SearchStrategy {
  private let source: CandidateSource
  private let schedule: HalvingSchedule
  /// The number of this halving's first candidate in the source.
  private let firstCandidate: Int
  /// The number of this halving's first trial.
  private let firstTrial: Int
  private var iteration = 0
  /// Candidates of the iteration that nobody has asked for.
  private var waiting: ArraySlice<Int>
  private var scores: [(candidate: Int, score: Double)] = []
  private var asked = 0

  init(
    _ source: CandidateSource, _ schedule: HalvingSchedule, firstCandidate: Int = 0, firstTrial: Int = 0
  ) {
    self.source = source
    self.schedule = schedule
    self.firstCandidate = firstCandidate
    self.firstTrial = firstTrial
    waiting = ArraySlice(firstCandidate..<firstCandidate + schedule.iterations[0].candidates)
  }

  var expectedTrials: Int { schedule.trialCount }

  var mostResource: Int? { schedule.iterations.last?.resource }

  mutating func ask(_ count: Int) throws -> [Trial] {
    // Everything that is left of the iteration at once: so candidates that share work are found.
    guard !waiting.isEmpty else { return [] }
    let stage = schedule.iterations[iteration]
    let trials = try waiting.enumerated().map { position, candidate in
      try source.trial(
        candidate, index: firstTrial + asked + position, iteration: iteration, resource: stage.resource)
    }
    asked += trials.count
    waiting = []
    return trials
  }

  mutating func tell(_ trial: Trial, score: Double) {
    guard let stage = trial.stage, stage.iteration == iteration else { return }
    scores.append((stage.candidate, score))
    guard scores.count == schedule.iterations[iteration].candidates else { return }
    guard iteration + 1 < schedule.iterations.count else { return }
    iteration += 1
    let best = bestFirst(scores).prefix(schedule.iterations[iteration].candidates)
    scores = []
    // In the order of the candidates, as they were numbered.
    waiting = ArraySlice(best.sorted())
  }
}
