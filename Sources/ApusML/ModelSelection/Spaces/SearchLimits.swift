import ApusParallel

/// The sizes from which on a search is refused, since it would fill the memory before its first fit.
///
/// Each is far beyond what can be fitted: a million milliseconds are a quarter of an hour for one parameter alone.
package enum SearchLimits {
  /// The most values that `linear`, `log` and `range` list for a parameter.
  package static let mostValues = 1_000_000
  /// The most candidates of a search; the planner numbers them with 32 bits and keeps some hundred bytes of each.
  package static let mostCandidates = 10_000_000
  /// The most fits of a search, candidates times folds, each with scores and times.
  package static let mostFits = 100_000_000

  /// Checks a number of values, before they are listed.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that shows the list as it was written.
  static func check(values count: Double, of list: String) throws {
    // An infinite count, or none at all, is refused too.
    guard count <= Double(mostValues) else {
      throw ApusError(
        .invalidParameter, "\(list) has more than \(mostValues.grouped) values",
        hint: "list fewer, or draw from uniform(…), loguniform(…) or integer(…) with a random search")
    }
  }

  /// Checks a number of candidates, before they are made.
  ///
  /// - Parameters:
  ///   - count: the number of candidates.
  ///   - search: what would try them, for the message: `a grid`.
  ///   - hint: how to try fewer.
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  package static func check(candidates count: Int, of search: String, hint: String) throws {
    guard count > mostCandidates else { return }
    throw ApusError(
      .invalidParameter,
      "\(search) can have at most \(mostCandidates.grouped) candidates, but this one has "
        + (count == .max ? "more than can be counted" : count.grouped), hint: hint)
  }

  /// Checks a number of fits, before there is a place for each.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  package static func check(candidates: Int, folds: Int) throws {
    let (fits, overflow) = candidates.multipliedReportingOverflow(by: folds)
    guard overflow || fits > mostFits else { return }
    throw ApusError(
      .invalidParameter,
      "\(candidates.grouped) candidates on \(folds.grouped) folds are more than the \(mostFits.grouped) fits of a search",
      hint: "use fewer folds, or draw fewer candidates with a random search")
  }
}
