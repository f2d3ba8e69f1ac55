import ApusParallel

/// Which candidate of a search is fitted on all rows.
public enum CandidateChoice: Sendable, Hashable, Codable {
  /// The one with the highest mean score.
  case highestMean
  /// The simplest of those whose mean score is within one standard error of the highest (Breiman et al., 1984).
  ///
  /// What is simpler is told by hyperparameters, the first being the most important; with an empty list, by
  /// those of ``Simplicity/known`` that the search varied, in the order of their names. Only candidates of the
  /// best one's estimator are considered, because nothing says which of two estimators is the simpler one.
  case oneStandardError([Simplicity] = [])
}

/// Which values of a hyperparameter make a model simpler.
public struct Simplicity: Sendable, Hashable, Codable {
  /// The hyperparameter.
  public var parameter: String
  /// Whether a larger value makes a simpler model, as it does for the strength of a penalty.
  public var isLargerSimpler: Bool

  /// Says which values of a hyperparameter make a model simpler.
  public init(_ parameter: String, isLargerSimpler: Bool) {
    self.parameter = parameter
    self.isLargerSimpler = isLargerSimpler
  }

  /// What is known of the hyperparameters of Apus' own estimators, by the last part of their names.
  public static let known: [Simplicity] = [
    Simplicity("alpha", isLargerSimpler: true), Simplicity("c", isLargerSimpler: false),
    Simplicity("degree", isLargerSimpler: false), Simplicity("gamma", isLargerSimpler: false),
    Simplicity("k", isLargerSimpler: false), Simplicity("maxDepth", isLargerSimpler: false),
    Simplicity("maxLeafNodes", isLargerSimpler: false), Simplicity("minSamplesLeaf", isLargerSimpler: true),
    Simplicity("minSamplesSplit", isLargerSimpler: true), Simplicity("neighbourCount", isLargerSimpler: true),
    Simplicity("treeCount", isLargerSimpler: false),
  ]

  /// How simple a value is: smaller is simpler. No limit (`null`) is the least simple where less is simpler.
  func order(of value: ParameterValue?) -> Double {
    guard let number = value?.number else { return isLargerSimpler ? 0 : .infinity }
    return isLargerSimpler ? -number : number
  }
}

extension CandidateChoice {
  /// The candidate of some results that is fitted on all rows; nil when none has scores on every fold.
  func candidate(of results: SearchResults) -> CandidateResult? {
    guard case .oneStandardError(let simplicity) = self, let best = results.best,
      let score = best.score(of: results.refitMetric), score.test.count > 1
    else { return results.best }
    let bound = score.mean - score.standardError
    let names = best.parameters.keys.sorted()
    let order =
      simplicity.isEmpty
      ? names.flatMap { name in Simplicity.known(for: name).map { [(name, $0)] } ?? [] }
      : simplicity.compactMap { wanted in
        names.first { $0 == wanted.parameter || $0.hasSuffix(".\(wanted.parameter)") }.map { ($0, wanted) }
      }
    guard !order.isEmpty else { return best }
    func key(_ candidate: CandidateResult) -> [Double] {
      order.map { name, simplicity in simplicity.order(of: candidate.parameters[name]) }
    }
    var chosen = best
    for candidate in results.candidates
    where candidate.estimator.name == best.estimator.name && candidate.stage?.resource == best.stage?.resource
    {
      guard let mean = candidate.score(of: results.refitMetric)?.mean, mean >= bound else { continue }
      if key(candidate).lexicographicallyPrecedes(key(chosen)) { chosen = candidate }
    }
    return chosen
  }
}

extension Simplicity {
  fileprivate static func known(for name: String) -> Simplicity? {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    return known.first { $0.parameter == last }
  }
}

extension MetricResult {
  /// The standard error of the mean: the standard deviation over the folds, with divisor k − 1, over √k; NaN
  /// for a single fold.
  ///
  /// Folds share training rows, so it is too small to compare two candidates by.
  public var standardError: Double {
    let count = Double(test.count)
    guard count > 1 else { return .nan }
    return standardDeviation / (count - 1).squareRoot()
  }
}
