import ApusML
import ApusParallel

/// How a search chooses what it tries.
public enum SearchMethod: Sendable, Hashable {
  /// Every combination of a grid.
  case grid
  /// Candidates drawn at random.
  case random(draws: Int)
  /// All candidates with little of a resource, the best of them with more, and so on.
  case halving(HalvingSettings)
  /// Several halvings, from many candidates with little of the resource to few with all of it; candidates are
  /// drawn at random.
  case hyperband(HalvingSettings)
  /// Halving that never waits: a candidate goes up as soon as it is among the best of its level (ASHA).
  case asynchronousHalving(HalvingSettings)
  /// Candidates that a model of the scores so far expects to be good (TPE).
  case parzen(ParzenSettings)
}

/// How candidates are eliminated.
public struct HalvingSettings: Sendable, Hashable {
  /// How many candidates are drawn at random; nil for every combination of the grid. Hyperband does not need it.
  public var draws: Int?
  /// One candidate of so many goes on, with so many times the resource.
  public var factor: Int
  /// What grows.
  public var resource: HalvingResource
  /// The least resource; nil for as much as lets the last iteration come near the most.
  public var smallest: Int?
  /// The most resource; nil for all rows of the data set.
  public var largest: Int?
  /// Whether iterations are repeated with the least resource where there are too many candidates.
  public var eliminatesAggressively: Bool

  /// Creates settings: a factor of 3 and rows as the resource, as in scikit-learn, unless given.
  public init(
    draws: Int? = nil, factor: Int = 3, resource: HalvingResource = .rows, smallest: Int? = nil,
    largest: Int? = nil, eliminatesAggressively: Bool = false
  ) {
    self.draws = draws
    self.factor = factor
    self.resource = resource
    self.smallest = smallest
    self.largest = largest
    self.eliminatesAggressively = eliminatesAggressively
  }

  /// The least and the most of the resource for some data.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func bounds(_ setup: SearchSetup) throws -> (smallest: Int, largest: Int) {
    switch resource {
    case .rows:
      let most = setup.data.rowCount
      if let largest, largest > most {
        throw ApusError(.invalidParameter, "the data has \(most) rows, not \(largest) to learn from")
      }
      var classes = 1
      if case .classes(_, let labels) = setup.data.target { classes = max(1, labels.count) }
      let least = min(2 * setup.splits.count * classes, largest ?? most)
      return (smallest ?? least, largest ?? most)
    case .hyperparameter(let name):
      guard let largest else {
        throw ApusError(
          .invalidParameter, "how much of '\(name)' is there at the most?",
          hint: "say the most that a candidate may get")
      }
      return (smallest ?? 1, largest)
    }
  }
}

/// How a model chooses candidates.
public struct ParzenSettings: Sendable, Hashable {
  /// How many candidates are tried.
  public var candidates: Int
  /// How many candidates may be under way at once: candidate n is chosen by the scores of the first
  /// n − `lag` + 1. 1 learns most from each; more keep more slots busy.
  public var lag: Int
  /// How the sampler proposes.
  public var sampler: TreeParzenSampler.Settings

  /// Creates settings: 4 candidates at once unless given.
  public init(
    candidates: Int, lag: Int = 4, sampler: TreeParzenSampler.Settings = TreeParzenSampler.Settings()
  ) {
    self.candidates = candidates
    self.lag = lag
    self.sampler = sampler
  }

  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func validate() throws {
    guard candidates >= 1, lag >= 1 else {
      throw ApusError(
        .invalidParameter, "a model-based search needs at least one candidate, and one at a time")
    }
    try SearchLimits.check(candidates: candidates, of: "a model-based search", hint: "try fewer")
  }
}
