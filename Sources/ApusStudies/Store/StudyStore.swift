import ApusML
import ApusParallel
import Foundation

/// Where studies are kept: their candidates, what became of each fit, and who is at work on them.
///
/// Every call is a transaction of its own: it happens as a whole or not at all, whatever other processes do at
/// the same time.
package protocol StudyStore: Sendable {
  /// Does something that reads several times, and shows it the store as it is at one moment.
  func atOneMoment<Result>(_ body: () throws -> Result) throws -> Result

  /// All studies, oldest first.
  func studies() throws -> [StudyDescription]

  /// The number of the study that a search belongs to, made where there is none.
  ///
  /// - Parameters:
  ///   - description: the search.
  ///   - startsAnew: whether a new study is made even where one would fit.
  /// - Throws: ``ApusError`` of kind `invalidParameter` that names the differences when there are studies, but
  ///   none of them fits.
  func study(for description: StudyDescription, startingAnew startsAnew: Bool) throws -> Int

  /// Adds candidates that are not there yet.
  ///
  /// - Parameters:
  ///   - count: how many candidates there are.
  ///   - study: the study.
  ///   - candidate: the candidate with a number, and the names of its hyperparameters that vary.
  /// - Returns: the number of each candidate in the study; equal candidates have equal numbers.
  func addCandidates(
    _ count: Int, to study: Int, _ candidate: (Int) throws -> (estimator: AnyEstimator, varied: [String])
  ) throws -> [Int]

  /// Keeps a decision of a search unless there is one; returns the one that is kept.
  func decide(_ decision: String, step: Int, of search: String, in study: Int) throws -> String

  /// The decisions of a search from a step on, in order.
  func decisions(of search: String, in study: Int, from step: Int) throws -> [String]

  /// Notes that a process starts to work on a study; returns the number of its session.
  func openSession(of process: ProcessIdentity, on study: Int, note: String?) throws -> Int

  /// The notes of a study and of those who have worked on it, each once, in their order.
  func notes(of study: StudyDescription) throws -> [String]

  /// Says that a session is alive.
  func beat(_ session: Int) throws

  /// Ends a session; what it held is free.
  func closeSession(_ session: Int) throws

  /// Takes fits for a session; see ``FitSession/claim(_:onNews:)``.
  ///
  /// - Parameters:
  ///   - wanted: the fits.
  ///   - held: fits that the session has taken before and not finished.
  ///   - session: the session.
  ///   - position: how far the session has read the finished fits, moved on.
  ///   - onNews: called with each fit that other sessions have finished since that position.
  func claim(
    _ wanted: [FitKey], holding held: some Sequence<FitKey>, for session: StudySession.Identity,
    since position: inout Int, onNews: (FinishedFit) -> Void
  ) throws -> [FitKey]

  /// Writes finished fits; those that are there stay as they are.
  func commit(_ fits: [FinishedFit], from session: Int) async throws

  /// Calls a function with each candidate of a study, in the order in which they were added; one is in memory
  /// at a time.
  func forEachCandidate(of study: Int, _ body: (StoredCandidate) throws -> Void) throws

  /// Calls a function with each candidate that has one of these numbers, in their order.
  func forEachCandidate(numbered numbers: [Int], _ body: (StoredCandidate) throws -> Void) throws

  /// The numbers of a study's candidates, in the order in which they were added.
  func candidateNumbers(of study: Int) throws -> [Int]

  /// The numbers of the first candidates of a study with a fit that failed, at most `limit` of them.
  func failedCandidates(of study: Int, limit: Int) throws -> [Int]

  /// How far a study has come.
  func progress(of study: StudyDescription) throws -> Study.Progress

  /// Whether a fit of a study iterated towards a tolerance.
  func hasConvergence(of study: Int) throws -> Bool

  /// The names of the hyperparameters that varied in any search of a study, by estimator.
  func variedParameters(of study: Int) throws -> [String: Set<String>]

  /// When fits were finished, about `limit` of them evenly chosen, and failed ones.
  func timeline(of study: Int, limit: Int) throws -> [FitTime]

  /// Forgets the failures of a study, so that the next run makes those fits again; returns how many there were.
  func forgetFailures(of study: Int) throws -> Int

  /// Removes a study with everything that belongs to it.
  func remove(study: Int) throws

  /// Gives back space, and frees what processes that are gone have held.
  func collectGarbage() throws
}

/// A candidate as it is kept.
package struct StoredCandidate: Sendable {
  /// The number in the store.
  package var number: Int
  /// The bytes of the digest of the estimator's name and every hyperparameter.
  package var digest: Data
  /// The estimator's name.
  package var estimator: String
  /// Every hyperparameter, as JSON.
  package var parameters: String
  /// What became of the candidate, by fold.
  package var fits: [Int: TriedFit] = [:]
  /// When the last of the fits was finished, in seconds since 1970; 0 without one.
  package var lastFinished = 0.0
}
