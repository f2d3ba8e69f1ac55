/// The columns of a results table and how a candidate fills them; see ``SearchResults/table``.
package struct ResultColumns: Sendable {
  package var metrics: [String]
  package var foldCount: Int
  /// The hyperparameters that have a column of their own.
  package var parameterNames: [String]
  package var hasTrainScores: Bool
  /// Whether candidates were tried in iterations, with a resource.
  package var hasStages: Bool
  /// Whether a fit iterated towards a tolerance.
  package var hasConvergence: Bool

  package init(
    metrics: [String], foldCount: Int, parameterNames: [String], hasTrainScores: Bool,
    hasStages: Bool = false, hasConvergence: Bool = false
  ) {
    self.metrics = metrics
    self.foldCount = foldCount
    self.parameterNames = parameterNames
    self.hasTrainScores = hasTrainScores
    self.hasStages = hasStages
    self.hasConvergence = hasConvergence
  }

  /// The names of the columns.
  package var names: [String] {
    var columns = hasStages ? ["iter", "n_resources"] : []
    columns += ["estimator", "mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"]
    columns += parameterNames.map { "param_\($0)" } + ["params"]
    for metric in metrics {
      let suffix = metrics.count == 1 ? "score" : metric
      columns += scoreColumns("test", suffix) + ["rank_test_\(suffix)"]
      if hasTrainScores { columns += scoreColumns("train", suffix) }
    }
    columns.append("unconverged_folds")
    if hasConvergence { columns += ["max_n_iter", "max_residual"] }
    return columns
  }

  private func scoreColumns(_ part: String, _ suffix: String) -> [String] {
    (0..<foldCount).map { "split\($0)_\(part)_\(suffix)" }
      + ["mean_\(part)_\(suffix)", "std_\(part)_\(suffix)"]
  }

  /// A candidate's cells, one for each column.
  package func cells(of candidate: CandidateResult) -> [ParameterValue] {
    let fit = meanAndDeviation(candidate.fitSeconds.filter { !$0.isNaN })
    let score = meanAndDeviation(candidate.scoreSeconds.filter { !$0.isNaN })
    var cells: [ParameterValue] = []
    if hasStages {
      cells = [candidate.stage?.iteration, candidate.stage?.resource].map { $0.map { .integer($0) } ?? .null }
    }
    cells += [
      .string(candidate.estimator.name), .real(fit.mean), .real(fit.deviation), .real(score.mean),
      .real(score.deviation),
    ]
    cells += parameterNames.map { candidate.parameters[$0] ?? .null }
    cells.append(.object(candidate.parameters))
    for result in candidate.scores {
      cells += result.test.map { .real($0) }
      cells += [.real(result.mean), .real(result.standardDeviation), .integer(result.rank)]
      if let train = result.train {
        let (mean, deviation) = meanAndDeviation(train)
        cells += train.map { .real($0) } + [.real(mean), .real(deviation)]
      }
    }
    cells.append(.integer(candidate.unconvergedFolds.count))
    if hasConvergence {
      cells += [
        candidate.mostIterations.map { .integer($0) } ?? .null,
        candidate.largestResidual.map { .real($0) } ?? .null,
      ]
    }
    return cells
  }
}
