import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel

/// How much each hyperparameter has to do with the score: by how much a random forest that predicts the score
/// from the hyperparameters splits by it.
enum ParameterImportance {
  private static let fewestCandidates = 12
  private static let treeCount = 64

  /// The shares of the hyperparameters, which sum to 1; none where there is too little to learn from.
  static func shares(
    of candidates: [CandidateResult], _ names: [String], metric: Int
  ) -> [ReportData.Importance] {
    let known = candidates.filter { $0.scores[metric].mean.isFinite }
    let estimators = Set(known.map(\.estimator.name)).sorted()
    guard known.count >= fewestCandidates, !names.isEmpty else { return [] }
    var columns = names.map { name in (name, column(known.map { $0.parameters[name] })) }
    if estimators.count > 1 {
      columns.append(("estimator", known.map { Double(estimators.firstIndex(of: $0.estimator.name) ?? 0) }))
    }
    let rows = known.indices.map { row in columns.map { $0.1[row] } }
    var forest = ExtraTreesRegressor()
    forest.treeCount = treeCount
    guard
      let data = try? Dataset(
        features: Matrix(rows), target: .values(known.map { $0.scores[metric].mean })),
      let model = try? forest.fit(data, FitContext(seed: Seed(0))),
      model.featureImportances.allSatisfy(\.isFinite)
    else { return [] }
    return zip(columns, model.featureImportances).map { ReportData.Importance(name: $0.0, share: $1) }
  }

  /// Values as numbers: numbers by their order, so that a logarithmic scale changes nothing; others by their
  /// position among the sorted texts; where there is none, below all.
  private static func column(_ values: [ParameterValue?]) -> [Double] {
    let isNumeric = values.allSatisfy { $0 == nil || $0?.number != nil || $0 == .null }
    guard isNumeric else {
      let texts = Set(values.compactMap { $0?.description }).sorted()
      let places = Dictionary(uniqueKeysWithValues: texts.enumerated().map { ($1, Double($0)) })
      return values.map { $0.flatMap { places[$0.description] } ?? -1 }
    }
    let numbers = Set(values.compactMap { $0?.number }).sorted()
    let places = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, Double($0)) })
    return values.map { $0?.number.flatMap { places[$0] } ?? -1 }
  }
}
