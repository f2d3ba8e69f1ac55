import ApusML
import ApusParallel

/// Successive halving without waiting: a candidate goes up as soon as it is among the best `1 / factor` of those
/// that were tried so far with as much of the resource (Li et al., 2020).
///
/// No worker waits for the last trial of an iteration, but what is decided depends on what has come by then; the
/// decisions are kept and repeated where a search is continued or shared.
struct AsynchronousHalving: SearchStrategy {
  private let source: CandidateSource
  private let factor: Int
  /// The resource of each level.
  private let resources: [Int]
  /// By level: what was scored, and which candidates have gone up.
  private var scored: [[(candidate: Int, score: Double)]]
  private var promoted: [Set<Int>]
  private var nextCandidate = 0
  private var asked = 0

  init(_ source: CandidateSource, factor: Int, smallest: Int, largest: Int) throws {
    guard factor >= 2, smallest >= 1, smallest <= largest else {
      throw ApusError(
        .invalidParameter, "asynchronous halving cannot go from \(smallest) to \(largest) by \(factor)",
        hint: "the factor must be at least 2, and the least resource between 1 and the most")
    }
    self.source = source
    self.factor = factor
    let top = HalvingSchedule.logarithm(largest / smallest, base: factor)
    // The last level gets everything.
    resources = (0...top).map { $0 == top ? largest : smallest * HalvingSchedule.power(factor, $0) }
    scored = [[(candidate: Int, score: Double)]](repeating: [], count: top + 1)
    promoted = [Set<Int>](repeating: [], count: top + 1)
  }

  var dependsOnOrder: Bool { true }

  var mostResource: Int? { resources.last }

  /// Without a tie or a failure, a level has one of `factor` candidates of the one below.
  var expectedTrials: Int {
    var (sum, level) = (0, source.count)
    for _ in resources {
      sum += level
      level /= factor
    }
    return max(asked, sum)
  }

  mutating func ask(_ count: Int) throws -> [Trial] {
    guard let decision = decide() else { return [] }
    return [try repeating(decision)]
  }

  private func decide() -> TrialDecision? {
    for level in scored.indices.dropLast().reversed() {
      let best = bestFirst(scored[level].filter { !$0.score.isNaN }).prefix(scored[level].count / factor)
      if let candidate = best.first(where: { !promoted[level].contains($0) }) {
        return TrialDecision(candidate: candidate, iteration: level + 1)
      }
    }
    return nextCandidate < source.count ? TrialDecision(candidate: nextCandidate, iteration: 0) : nil
  }

  mutating func repeating(_ decision: TrialDecision) throws -> Trial {
    guard let level = decision.iteration, resources.indices.contains(level),
      (0..<source.count).contains(decision.candidate)
    else { throw ApusError(.format, "the study holds a decision that this search cannot have made") }
    if level == 0 {
      nextCandidate = max(nextCandidate, decision.candidate + 1)
    } else {
      promoted[level - 1].insert(decision.candidate)
    }
    defer { asked += 1 }
    return try source.trial(
      decision.candidate, index: asked, iteration: level, resource: resources[level])
  }

  mutating func tell(_ trial: Trial, score: Double) {
    guard let stage = trial.stage else { return }
    scored[stage.iteration].append((stage.candidate, score))
  }
}
