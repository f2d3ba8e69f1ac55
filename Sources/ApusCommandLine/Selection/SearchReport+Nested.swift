import Apus

extension SearchReport {
  /// The scores of a nested cross-validation.
  struct Nested: Encodable {
    /// One outer split.
    struct Fold: Encodable {
      /// What the search chose on the training rows.
      var estimator: String
      var parameters: [String: ParameterValue]
      /// Its score of each metric on the test rows.
      var scores: [Double]
    }

    var metrics: [String]
    var folds: [Fold]
    /// The mean score of each metric over the outer splits.
    var means: [Double]
    var standardDeviations: [Double]

    init(_ results: NestedResults) {
      metrics = results.metrics
      folds = results.folds.map { fold in
        Fold(
          estimator: fold.chosen.estimator.name, parameters: fold.chosen.parameters, scores: fold.scores)
      }
      let summaries = metrics.indices.map { results.summary(of: $0) }
      means = summaries.map(\.mean)
      standardDeviations = summaries.map(\.standardDeviation)
    }

    /// A line for people.
    var text: String {
      let scores = metrics.indices.map { metric in
        "\(metrics[metric]) \(Quantities.score(means[metric], deviation: standardDeviations[metric]))"
      }
      return "On rows that it has not seen (\(folds.count) outer splits): \(scores.joined(separator: ", "))\n"
    }
  }
}
