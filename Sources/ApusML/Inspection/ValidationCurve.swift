import ApusData
import ApusParallel

/// How scores depend on one hyperparameter: too simple a model at one end, too flexible a one at the other.
public struct ValidationCurve: Sendable, Hashable, Codable {
  /// The hyperparameter's name.
  public var parameter: String
  /// Its values, in the order given.
  public var values: [ParameterValue]
  /// The scores on test and training rows, by metric and value.
  public var scores: [[MetricResult]]

  /// Cross-validates an estimator with each value of a hyperparameter.
  ///
  /// - Parameters:
  ///   - estimator: what is fitted.
  ///   - parameter: the hyperparameter's name.
  ///   - space: its values.
  ///   - data: the rows.
  ///   - options: splitter, metrics and seed.
  ///   - backend: where fits run; the answer does not depend on it.
  /// - Throws: ``ApusError`` as a search does.
  public static func compute(
    _ estimator: some Estimator, varying parameter: String, over space: ParameterSpace, on data: Dataset,
    _ options: SearchOptions = SearchOptions(), backend: some ParallelBackend
  ) async throws -> ValidationCurve {
    var options = options
    options.includesTrainScores = true
    options.refits = false
    let grid = try ParameterGrid(estimator).varying(parameter, over: space)
    let results = try await GridSearch(grid, options).run(on: data, backend: backend).results
    let name = results.candidates[0].parameters.keys.first ?? parameter
    return ValidationCurve(
      parameter: name, values: results.candidates.map { $0.parameters[name] ?? .null },
      scores: results.metrics.indices.map { metric in results.candidates.map { $0.scores[metric] } })
  }
}
