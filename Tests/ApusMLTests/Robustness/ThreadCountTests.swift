import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Foundation
import Testing

/// The same bits on any number of threads, for every built-in estimator on data of several blocks of rows.
@Suite struct ThreadCountTests {
  private static let data = Result {
    let letter = try Dataset(bundled: "letter")
    return letter.gatheringRows(Array(0..<2100))
  }

  /// Those whose default fit on this data would take seconds; their own suites check smaller ones.
  private static let slow: Set<String> = ["svc", "svr", "logistic-regression"]

  @Test func modelsAreTheSameToTheBit() throws {
    #expect(LibraryEstimators.all.count >= 38)
    let data = try Self.data.get()
    for type in LibraryEstimators.all {
      let rows = Self.slow.contains(type.name) ? data.gatheringRows(Array(0..<700)) : data
      try check(type, rows)
    }
  }

  private func check<E: Estimator>(_ type: E.Type, _ data: Dataset) throws {
    var data = data
    if E.task == .regression {
      let values = (0..<data.rowCount).map { row in
        (0..<data.featureCount).reduce(0.0) { $0 + data.features[row, $1] * Double($1 % 5 - 2) / 3 }
      }
      data = try Dataset(features: data.features, target: .values(values))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let contexts = [1, 2, 4].map { ComputeContext(threads: $0) }
    let models = try contexts.map { try E().fit(data, FitContext(seed: Seed(5), compute: $0)) }
    let stored = try models.map { try encoder.encode($0) }
    #expect(stored[1] == stored[0] && stored[2] == stored[0], "\(E.name)")
    let answers = try contexts.map { try self.answers(of: models[0], data.features, $0) }
    #expect(answers[1] == answers[0] && answers[2] == answers[0], "\(E.name)")
  }

  private func answers(
    of model: some FittedModel, _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> [Double] {
    var answers: [Double] = []
    if let model = model as? any ClassificationModel {
      answers += try model.predictClasses(features, compute).map(Double.init)
    }
    if let model = model as? any ProbabilityModel, model.givesProbabilities {
      answers += try model.predictProbabilities(features, compute).rowArrays.joined()
    }
    if let model = model as? any RegressionModel { answers += try model.predict(features, compute) }
    if let model = model as? any ClusteringModel {
      answers += try model.assignClusters(features, compute).map(Double.init)
    }
    if let model = model as? any TransformationModel {
      answers += try model.transform(features, compute).rowArrays.joined()
    }
    return answers
  }
}
