import ApusML
import ApusParallel

/// Tries the candidates of a grid, or those that were drawn, in their order.
struct ListedCandidates: SearchStrategy {
  private let candidates: SearchCandidates
  private var next = 0

  init(_ candidates: SearchCandidates) { self.candidates = candidates }

  var expectedTrials: Int { candidates.count }

  mutating func ask(_ count: Int) throws -> [Trial] {
    let range = next..<min(candidates.count, next + count)
    next = range.upperBound
    return try range.map { index in
      let (estimator, parameters) = try candidates.described(at: index)
      return Trial(index: index, estimator: estimator, parameters: parameters)
    }
  }

  mutating func tell(_ trial: Trial, score: Double) {}
}
