import ApusML
import ApusParallel

/// Lets a Parzen sampler choose the candidates of a search.
///
/// Candidate n is proposed from the scores of the first n − `lag` + 1 candidates, whatever else is known by then:
/// so the same candidates are tried however many fits run at once, in whatever order they end.
struct ParzenSearch: SearchStrategy {
  private let parts: [SearchSpacePart]
  private let lag: Int
  private var sampler: TreeParzenSampler
  private var proposals: [TreeParzenSampler.Proposal] = []
  private var scores: [Int: Double] = [:]
  /// The scores of the first so many candidates were told to the sampler.
  private var told = 0

  let expectedTrials: Int

  init(_ space: SearchSpace, _ settings: ParzenSettings, seed: Seed) throws {
    try settings.validate()
    parts = space.parts
    expectedTrials = settings.candidates
    lag = settings.lag
    sampler = try TreeParzenSampler(
      alternatives: space.parts.map { Dictionary(uniqueKeysWithValues: zip($0.names, $0.spaces)) },
      seed: seed.derived("sampler"), settings: settings.sampler)
  }

  mutating func ask(_ count: Int) throws -> [Trial] {
    var trials: [Trial] = []
    while trials.count < count, proposals.count < expectedTrials {
      let number = proposals.count
      while told <= number - lag, let score = scores[told] {
        sampler.tell(proposals[told], score: score)
        told += 1
      }
      guard told > number - lag else { break }
      let proposal = sampler.ask()
      proposals.append(proposal)
      let part = parts[proposal.alternative]
      let candidate = try part.make(part.names.map { proposal[$0] ?? .null })
      trials.append(
        Trial(index: number, estimator: candidate, parameters: part.parameters(of: candidate)))
    }
    return trials
  }

  mutating func tell(_ trial: Trial, score: Double) { scores[trial.index] = score }
}
