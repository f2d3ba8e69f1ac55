import ApusData
import ApusParallel

/// What cross-validation and every search have in common: how rows are divided, what is scored, and the seed.
public struct SearchOptions: Sendable {
  /// How rows are divided; nil for 5 folds, stratified for classification.
  public var splitter: (any Splitter)?
  /// What is scored, the first metric deciding which candidate is best; empty for the task's default metric.
  public var metrics: [Metric]
  /// The metric that decides which candidate is best; nil for the first.
  public var refitMetric: Metric?
  /// Whether the best candidate is fitted on all rows at the end.
  public var refits: Bool
  /// Which candidate that is; the one with the highest mean unless given.
  public var choice: CandidateChoice
  /// Whether training rows are scored too.
  public var includesTrainScores: Bool
  /// The root of everything random: splits, candidates and fits.
  public var seed: Seed
  /// Where finished fits are kept; nil when only the results hold them.
  package var journal: (any FitJournal)?

  /// Creates options.
  public init(
    splitter: (any Splitter)? = nil, metrics: [Metric] = [], refitMetric: Metric? = nil, refits: Bool = true,
    choice: CandidateChoice = .highestMean, includesTrainScores: Bool = false, seed: Seed = Seed(0)
  ) {
    self.splitter = splitter
    self.metrics = metrics
    self.refitMetric = refitMetric
    self.refits = refits
    self.choice = choice
    self.includesTrainScores = includesTrainScores
    self.seed = seed
  }
}

/// What happens while a search runs, for progress bars and logs.
public enum SearchEvent: Sendable {
  /// The search begins: the number of candidates, of folds, and of fits that will be made.
  case started(candidates: Int, folds: Int, fits: Int)
  /// Fits that were finished before and need not be made again; nothing else is told of them than which candidates
  /// are finished. A search that decides as it goes tells of them whenever it comes to some.
  case restored(fits: Int, failures: Int)
  /// The search has decided to make more fits: their number so far, finished ones included.
  case extended(fits: Int)
  /// A candidate was fitted and scored on a fold; the scores are in the order of the metrics, empty when it
  /// failed.
  case fitFinished(candidate: Int, fold: Int, scores: [Double], failure: FitFailure?)
  /// A candidate has been tried on every fold; the means are in the order of the metrics. Where the search gives
  /// candidates more or less of a resource, means are to be compared where that is equal.
  case candidateFinished(
    index: Int, estimator: AnyEstimator, parameters: [String: ParameterValue], means: [Double], resource: Int?
  )
  /// All fits are done; the best candidate is being fitted on all rows, and how far that is can be asked.
  case refitting(candidate: Int, progress: WorkProgress)
  /// The search is over.
  case finished
}
