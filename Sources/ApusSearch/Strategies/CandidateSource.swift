import ApusML
import ApusParallel

/// The candidates that a search begins with, and how a candidate is given a resource.
struct CandidateSource: Sendable {
  let candidates: SearchCandidates
  let resource: HalvingResource
  /// The rows of the data set.
  let rowCount: Int

  /// - Throws: ``ApusError`` of kind `invalidParameter` when a grid varies the resource itself, or an estimator
  ///   does not have it.
  init(_ candidates: SearchCandidates, of space: SearchSpace, resource: HalvingResource, rowCount: Int) throws
  {
    if case .hyperparameter(let name) = resource {
      for part in space.parts {
        let wanted = try part.estimator.resourceName(name)
        if part.names.contains(wanted) {
          throw ApusError(
            .invalidParameter, "'\(wanted)' cannot be both searched and the resource",
            hint: "leave it out of the grid")
        }
      }
    }
    self.candidates = candidates
    self.resource = resource
    self.rowCount = rowCount
  }

  var count: Int { candidates.count }

  /// A candidate with some of the resource; where more are asked for than there are, they begin anew.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a value of the wrong type or range.
  func trial(_ candidate: Int, index: Int, iteration: Int, resource amount: Int) throws -> Trial {
    var (estimator, parameters) = try candidates.described(at: candidate % candidates.count)
    let stage = SearchStage(candidate: candidate, iteration: iteration, resource: amount)
    switch resource {
    case .rows:
      return Trial(
        index: index, estimator: estimator, parameters: parameters, stage: stage,
        trainRows: amount < rowCount ? amount : nil)
    case .hyperparameter(let name):
      let wanted = try estimator.resourceName(name)
      estimator = AnyEstimator(try estimator.base.setting([wanted: .integer(amount)]))
      parameters[wanted] = .integer(amount)
      return Trial(index: index, estimator: estimator, parameters: parameters, stage: stage)
    }
  }
}

extension AnyEstimator {
  /// The full name of the hyperparameter that is a resource.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when there is none of that name.
  func resourceName(_ name: String) throws -> String {
    func find<E: Estimator>(_ estimator: E) throws -> String { try E.hyperparameter(named: name).name }
    return try find(base)
  }
}

/// Orders trials best first: by score, those that failed last, equal ones as they were numbered.
func bestFirst(_ scores: [(candidate: Int, score: Double)]) -> [Int] {
  func key(_ score: Double) -> Double { score.isNaN ? -.infinity : score }
  return scores.sorted { (-key($0.score), $0.candidate) < (-key($1.score), $1.candidate) }.map(\.candidate)
}
