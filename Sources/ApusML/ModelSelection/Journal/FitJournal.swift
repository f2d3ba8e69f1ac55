import ApusParallel

/// Keeps what a search has finished, so that a search that ended early is continued, and several processes can
/// share one.
///
/// A search that has a journal asks it before each fit and tells it after each fit; nothing is reported before
/// the journal has it for good.
package protocol FitJournal: Sendable {
  /// Opens the journal for a search.
  ///
  /// - Throws: ``ApusError`` when the journal cannot be used, or belongs to a search whose scores could not be
  ///   compared with this one's; the journal is then as it was.
  func begin(_ search: JournaledSearch) async throws -> any FitSession
}

/// One process at work on a search that is kept in a journal.
package protocol FitSession: Sendable {
  /// The journal's number of each candidate, in the order of the search; equal candidates have equal numbers.
  var candidateNumbers: [Int] { get }

  /// Adds candidates that are not there yet.
  ///
  /// - Returns: the number of each; equal candidates have equal numbers.
  /// - Throws: ``ApusError`` when the journal cannot be written.
  func add(_ candidates: [(estimator: AnyEstimator, varied: [String])]) throws -> [Int]

  /// Keeps a decision of a search, unless another process has decided before.
  ///
  /// - Parameters:
  ///   - decision: what this process would do.
  ///   - step: the number of the decision, from 0.
  ///   - search: names the search; equal names stand for equal searches.
  /// - Returns: what was decided: by this process, now or earlier, or by another.
  /// - Throws: ``ApusError`` when the journal cannot be written.
  func decide(_ decision: String, step: Int, of search: String) throws -> String

  /// The decisions of a search from a step on.
  ///
  /// - Throws: ``ApusError`` when the journal cannot be read.
  func decisions(of search: String, from step: Int) throws -> [String]

  /// Takes fits for this process, so that no other process makes them at the same time.
  ///
  /// - Parameters:
  ///   - wanted: fits that this process has neither made nor heard of.
  ///   - onNews: called with each finished fit of the journal that this session was not told of; on the first
  ///     call, all of them.
  /// - Returns: those of the wanted fits that are neither finished nor in the hands of another process, in
  ///   their order.
  /// - Throws: ``ApusError`` when the journal cannot be read or written.
  func claim(_ wanted: [FitKey], onNews: (FinishedFit) -> Void) throws -> [FitKey]

  /// Writes finished fits down; when it returns, they are kept whatever happens to this process or its host.
  ///
  /// - Throws: ``ApusError`` when they cannot be written; none of them is then kept.
  func commit(_ fits: [FinishedFit]) async throws

  /// The journal of a search that belongs to this one: on a part of its rows. Nil where nothing is kept.
  ///
  /// - Parameter part: says which part, to people; equal searches on equal rows share their fits whatever it says.
  func journal(ofPart part: String) -> (any FitJournal)?

  /// Gives back what was taken and not finished.
  func end() async
}

/// Names a fit of a journal: a candidate by its number there, and a fold.
package struct FitKey: Hashable, Sendable {
  package var candidate: Int
  /// The fold; where only a part of its training rows is learnt from, `rows · folds + fold`, see
  /// ``init(candidate:fold:of:trainRows:)``.
  package var fold: Int

  package init(candidate: Int, fold: Int) {
    self.candidate = candidate
    self.fold = fold
  }

  /// A fit on a part of the training rows, or on all of them.
  package init(candidate: Int, fold: Int, of foldCount: Int, trainRows: Int?) {
    self.init(candidate: candidate, fold: (trainRows ?? 0) * foldCount + fold)
  }
}

/// A finished fit of a journal.
package struct FinishedFit: Sendable, Hashable {
  package var key: FitKey
  package var fit: TriedFit

  package init(key: FitKey, fit: TriedFit) {
    self.key = key
    self.fit = fit
  }
}
