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
    for estimator in LibraryEstimators.defaults { try check(estimator, weighted: false) }
  }

  @Test func modelsOfWeightedRowsAreTheSameToTheBit() throws {
    for estimator in LibraryEstimators.defaults { try check(estimator, weighted: true) }
  }

  @Test func modelsOfOtherOptionsAreTheSameToTheBit() throws {
    for estimator in LibraryEstimators.variants { try check(estimator, weighted: false) }
  }

  @Test func modelsOfOtherOptionsAndWeightedRowsAreTheSameToTheBit() throws {
    for estimator in LibraryEstimators.variants { try check(estimator, weighted: true) }
  }

  private func check<E: Estimator>(_ estimator: E, weighted: Bool) throws {
    var data = try Self.data.get()
    if Self.slow.contains(E.name) { data = data.gatheringRows(Array(0..<(estimator == E() ? 700 : 400))) }
    if E.task == .regression {
      let values = (0..<data.rowCount).map { row in
        (0..<data.featureCount).reduce(0.0) { $0 + data.features[row, $1] * Double($1 % 5 - 2) / 3 }
      }
      data = try Dataset(features: data.features, target: .values(values.map { $0 - values.min()! }))
    }
    if weighted { data = try data.replacingWeights((0..<data.rowCount).map { Double($0 % 5) / 2 }) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let contexts = [1, 2, 4].map { ComputeContext(threads: $0) }
    let models = try contexts.map { try estimator.fit(data, FitContext(seed: Seed(5), compute: $0)) }
    let stored = try models.map { try encoder.encode($0) }
    #expect(stored[1] == stored[0] && stored[2] == stored[0], "\(estimator.description)")
    let answers = try contexts.map { try self.answers(of: models[0], data.features, $0) }
    #expect(answers[1] == answers[0] && answers[2] == answers[0], "\(estimator.description)")
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
