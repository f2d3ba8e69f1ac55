import ApusData
import ApusParallel

/// A search for the hyperparameters with the best cross-validated score: ``GridSearch``, ``RandomSearch`` or one
/// that decides as it goes.
public protocol HyperparameterSearch: Sendable {
  /// What may be tried.
  var space: SearchSpace { get }
  /// How candidates are compared.
  var options: SearchOptions { get set }
  /// The number of candidates.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a space that cannot be searched in this way.
  func candidateCount() throws -> Int

  /// Runs the search.
  ///
  /// - Parameters:
  ///   - data: the rows to learn from and score on.
  ///   - backend: where fits run; the answer does not depend on it.
  ///   - cancellation: raised to end the search early; what is finished is returned.
  ///   - onEvent: called as the search goes on, from the task that runs it.
  /// - Returns: the results and, where options ask for it, the best candidate fitted on all rows.
  /// - Throws: ``ApusError``: `invalidParameter` or `data` before any fit is made; `job` when every fit failed;
  ///   `cancelled` when the search ended before anything was finished.
  func run(
    on data: Dataset, backend: some ParallelBackend, cancellation: Cancellation,
    onEvent: (@Sendable (SearchEvent) -> Void)?
  ) async throws -> SearchOutcome
}

/// What a search gives: its results and the best candidate, fitted.
public struct SearchOutcome: Sendable {
  /// A row a candidate, and what failed.
  public var results: SearchResults
  /// The best candidate, fitted on all rows; nil when no refit was asked for or the search was cancelled.
  public var bestModel: (any FittedModel)?
  /// The wall-clock time of the last fit on all rows.
  public var refitSeconds: Double?

  package init(results: SearchResults) { self.results = results }

  /// The best candidate; nil when no candidate has scores on every fold.
  public var best: CandidateResult? { results.best }

  /// The candidate that was fitted on all rows: the best, unless ``SearchOptions/choice`` says otherwise.
  public var chosen: CandidateResult? { results.chosen }
}

/// Tries every combination of a space.
///
/// ```swift
/// let space = SearchSpace(ParameterGrid(Ridge()).varying(\.alpha, [0.1, 1, 10]))
/// let outcome = try await GridSearch(space).run(on: data, backend: ThreadBackend())
/// print(outcome.results.best!.parameters, outcome.results.table.csv)
/// ```
public struct GridSearch: HyperparameterSearch {
  /// What is tried.
  public var space: SearchSpace
  /// How candidates are compared.
  public var options: SearchOptions

  /// Creates a search.
  public init(_ space: SearchSpace, _ options: SearchOptions = SearchOptions()) {
    self.space = space
    self.options = options
  }

  /// Creates a search of one grid.
  public init<E: Estimator>(_ grid: ParameterGrid<E>, _ options: SearchOptions = SearchOptions()) {
    self.init(SearchSpace(grid), options)
  }

  /// The size of the grid.
  public func candidateCount() throws -> Int { try candidates().count }

  /// Runs the search.
  public func run(
    on data: Dataset, backend: some ParallelBackend, cancellation: Cancellation = Cancellation(),
    onEvent: (@Sendable (SearchEvent) -> Void)? = nil
  ) async throws -> SearchOutcome {
    try await SearchRun(candidates(), on: data, options, onEvent: onEvent).outcome(on: backend, cancellation)
  }

  private func candidates() throws -> SearchCandidates {
    try space.check()
    return try SearchCandidates(grid: space)
  }
}

/// Tries candidates drawn at random from a space (Bergstra and Bengio, 2012).
///
/// Candidate k depends on the seed and k alone: more draws begin with the same candidates, unless all
/// parameters have lists of values; then candidates are drawn from the grid without repetition.
public struct RandomSearch: HyperparameterSearch {
  /// What is tried.
  public var space: SearchSpace
  /// The number of candidates.
  public var draws: Int
  /// How candidates are compared.
  public var options: SearchOptions

  /// Creates a search; 10 draws unless given.
  public init(_ space: SearchSpace, draws: Int = 10, _ options: SearchOptions = SearchOptions()) {
    self.space = space
    self.draws = draws
    self.options = options
  }

  /// Creates a search of one grid.
  public init<E: Estimator>(
    _ grid: ParameterGrid<E>, draws: Int = 10, _ options: SearchOptions = SearchOptions()
  ) {
    self.init(SearchSpace(grid), draws: draws, options)
  }

  /// The number of draws, or the size of the grid where that is smaller.
  public func candidateCount() throws -> Int { try candidates().count }

  /// Runs the search.
  public func run(
    on data: Dataset, backend: some ParallelBackend, cancellation: Cancellation = Cancellation(),
    onEvent: (@Sendable (SearchEvent) -> Void)? = nil
  ) async throws -> SearchOutcome {
    try await SearchRun(candidates(), on: data, options, onEvent: onEvent).outcome(on: backend, cancellation)
  }

  private func candidates() throws -> SearchCandidates {
    try space.check()
    return try SearchCandidates(drawing: draws, from: space, seed: options.seed)
  }
}

extension SearchRun {
  /// Runs all fits, then fits the best candidate on all rows.
  fileprivate func outcome(
    on backend: some ParallelBackend, _ cancellation: Cancellation
  ) async throws -> SearchOutcome {
    try await setup.outcome(run(on: backend, cancellation), onEvent: onEvent, cancellation)
  }
}
