import ApusData
import ApusML
import ApusParallel

/// A search that decides as it goes: what to try next, what to give up, and when to end.
///
/// ```swift
/// let space = SearchSpace(ParameterGrid(SVC()).varying(\.c, over: .logUniform(1e-2, 1e3)))
/// var search = AdaptiveSearch(space, .parzen(ParzenSettings(candidates: 40)))
/// search.stopRules.patience = 15
/// let outcome = try await search.run(on: data, backend: ThreadBackend())
/// ```
///
/// A seed gives the same result on any backend, at any number of slots, in whatever order fits end. Two things
/// depend on time: a time budget, and asynchronous halving; what the latter decided is kept in the study, if
/// there is one, and repeated when the search is continued or run again.
///
/// Where candidates get a resource, the results hold a row for each candidate and iteration, as scikit-learn's
/// `HalvingGridSearchCV` has them, and the best is one of those with the most of the resource.
public struct AdaptiveSearch: HyperparameterSearch {
  /// What may be tried.
  public var space: SearchSpace
  /// How it is chosen.
  public var method: SearchMethod
  /// When the search ends early; never unless given.
  public var stopRules = StopRules()
  /// Whether candidates are given up before they were tried on every fold; never unless given. Not for halving,
  /// which eliminates in its own way.
  public var racing: Racing?
  /// How candidates are compared.
  public var options: SearchOptions

  /// Creates a search.
  public init(_ space: SearchSpace, _ method: SearchMethod, _ options: SearchOptions = SearchOptions()) {
    self.space = space
    self.method = method
    self.options = options
  }

  /// The number of candidates, as far as it is known before the search has seen data.
  public func candidateCount() throws -> Int {
    try check()
    switch method {
    case .grid, .random: return try listed().count
    case .halving(let settings), .asynchronousHalving(let settings): return try listed(settings.draws).count
    case .hyperband: return 1
    case .parzen(let settings): return settings.candidates
    }
  }

  private func check() throws {
    try space.check()
    try stopRules.validate()
    try racing?.validate()
    if case .parzen(let settings) = method { try settings.validate() }
    guard let _ = racing else { return }
    switch method {
    case .grid, .random, .parzen: break
    case .halving, .hyperband, .asynchronousHalving:
      throw ApusError(
        .invalidParameter, "halving eliminates candidates itself, so it cannot be combined with racing")
    }
  }

  private func listed(_ draws: Int? = nil) throws -> SearchCandidates {
    if case .random(let draws) = method {
      return try SearchCandidates(drawing: draws, from: space, seed: options.seed)
    }
    if let draws { return try SearchCandidates(drawing: draws, from: space, seed: options.seed) }
    return try SearchCandidates(grid: space)
  }

  /// Runs the search.
  public func run(
    on data: Dataset, backend: some ParallelBackend, cancellation: Cancellation = Cancellation(),
    onEvent: (@Sendable (SearchEvent) -> Void)? = nil
  ) async throws -> SearchOutcome {
    try check()
    let setup = try SearchSetup(space.parts.map(\.estimator), on: data, options)
    let run = AdaptiveRun(setup: setup, rules: stopRules, racing: racing, name: name, onEvent: onEvent)
    let results: SearchResults
    switch method {
    case .grid, .random:
      results = try await run.run(ListedCandidates(listed()), on: backend, cancellation)
    case .halving(let settings):
      let (smallest, largest) = try settings.bounds(setup)
      let source = try source(listed(settings.draws), settings, setup)
      let schedule = try HalvingSchedule(
        candidates: source.count, factor: settings.factor, smallest: smallest, largest: largest,
        exhausts: settings.smallest == nil, eliminatesAggressively: settings.eliminatesAggressively)
      results = try await run.run(SuccessiveHalving(source, schedule), on: backend, cancellation)
    case .hyperband(let settings):
      let (smallest, largest) = try settings.bounds(setup)
      let schedules = try Hyperband.brackets(smallest: smallest, largest: largest, factor: settings.factor)
      let draws = schedules.reduce(0) { $0 + $1.iterations[0].candidates }
      let source = try source(
        SearchCandidates(drawing: draws, from: space, seed: options.seed), settings, setup)
      results = try await run.run(Hyperband(source, schedules), on: backend, cancellation)
    case .asynchronousHalving(let settings):
      let (smallest, largest) = try settings.bounds(setup)
      let strategy = try AsynchronousHalving(
        source(listed(settings.draws), settings, setup), factor: settings.factor, smallest: smallest,
        largest: largest)
      results = try await run.run(strategy, on: backend, cancellation)
    case .parzen(let settings):
      let strategy = try ParzenSearch(space, settings, seed: options.seed)
      results = try await run.run(strategy, on: backend, cancellation)
    }
    return try await setup.outcome(results, onEvent: onEvent, cancellation)
  }

  private func source(
    _ candidates: SearchCandidates, _ settings: HalvingSettings, _ setup: SearchSetup
  ) throws -> CandidateSource {
    try CandidateSource(
      candidates, of: space, resource: settings.resource, rowCount: setup.data.rowCount)
  }

  /// Names the search in a study's log of decisions.
  private var name: String {
    let parts = space.parts.map { part in
      let parameters = part.estimator.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      return "\(part.estimator.name) \(parameters) \(part.names) \(part.spaces)"
    }
    return Digest(of: Array("\(method) \(options.seed.value) \(parts)".utf8)).hexadecimal
  }
}
