import ApusParallel

/// When a search ends before everything was tried. What comes first ends it.
///
/// A rule looks at candidates in their order: where candidate 17 ends a search, the results hold candidates 0 to
/// 17, whatever else was finished by then. So all rules but ``timeBudget`` end a search at the same candidate on
/// every machine.
public struct StopRules: Sendable, Hashable {
  /// The time after which running fits are stopped.
  public var timeBudget: Duration?
  /// The most fits: candidates that would exceed it are not begun.
  public var mostFits: Int?
  /// The mean score that is good enough.
  public var targetScore: Double?
  /// After so many candidates in a row without a better mean score, the search ends.
  public var patience: Int?

  /// Creates rules; no rule unless given.
  public init(
    timeBudget: Duration? = nil, mostFits: Int? = nil, targetScore: Double? = nil, patience: Int? = nil
  ) {
    self.timeBudget = timeBudget
    self.mostFits = mostFits
    self.targetScore = targetScore
    self.patience = patience
  }

  /// - Throws: ``ApusError`` of kind `invalidParameter` that names the rule.
  func validate() throws {
    func refuse(_ rule: String, _ wanted: String, _ value: String) -> ApusError {
      ApusError(
        .invalidParameter, "\(rule) must be \(wanted), but is \(value)", hint: "or leave that rule out")
    }
    if let timeBudget, timeBudget <= .zero { throw refuse("timeBudget", "above 0", "\(timeBudget)") }
    if let mostFits, mostFits < 1 { throw refuse("mostFits", "at least 1", "\(mostFits)") }
    if let patience, patience < 1 { throw refuse("patience", "at least 1", "\(patience)") }
    if let targetScore, targetScore.isNaN { throw refuse("targetScore", "a number", "NaN") }
  }
}

/// Looks at the scores of candidates in their order.
struct StopWatch {
  let rules: StopRules
  private(set) var best = -Double.infinity
  private var sinceBest = 0

  init(_ rules: StopRules) { self.rules = rules }

  /// Takes the next candidate's mean; returns why the search ends with it, if it does.
  mutating func take(_ mean: Double) -> String? {
    if mean > best {
      best = mean
      sinceBest = 0
    } else {
      sinceBest += 1
    }
    if let target = rules.targetScore, best >= target { return "the target score \(target) was reached" }
    if let patience = rules.patience, sinceBest >= patience {
      return "\(patience) candidate\(patience == 1 ? " was" : "s in a row were") no better"
    }
    return nil
  }
}
