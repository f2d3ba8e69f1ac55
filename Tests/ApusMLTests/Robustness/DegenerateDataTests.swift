import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Every built-in estimator, with its default options and others, on every kind of degenerate data: a finite
/// answer, or an error that says why not.
@Suite struct DegenerateDataTests {
  @Test(arguments: DegenerateData.all) func answersAreFiniteOrErrorsAreClear(_ data: DegenerateData) throws {
    #expect(LibraryEstimators.all.count >= 38)
    for estimator in LibraryEstimators.defaults + LibraryEstimators.variants { try check(estimator, data) }
  }

  private func check<E: Estimator>(_ estimator: E, _ degenerate: DegenerateData) throws {
    let data = try degenerate.dataset(for: E.task)
    let place: Comment = "\(estimator.description) on \(degenerate.name)"
    do {
      let model = try estimator.fit(data, FitContext(seed: Seed(1), compute: .sequential))
      // What needs no fit may still transform rows of no weight.
      #expect(!degenerate.isHopeless || E.task == .transformation, place)
      if let convergence = model.convergence { #expect(!convergence.residual.isNaN, place) }
      try expectFiniteAnswers(model, data.features, place)
    } catch let error as ApusError {
      let kinds: [ApusError.Kind] = [.data, .numerical, .shape]
      #expect(kinds.contains(error.kind), "\(place): \(error)")
      #expect(error.message.count > 20, "\(place): \(error)")
    }
  }

  private func expectFiniteAnswers(
    _ model: some FittedModel, _ features: Matrix<Double>, _ place: Comment
  ) throws {
    if let model = model as? any ClassificationModel {
      let classes = try model.predictClasses(features, .sequential)
      #expect(classes.allSatisfy { model.classLabels.indices.contains(Int($0)) }, place)
    }
    if let model = model as? any ProbabilityModel, model.givesProbabilities {
      for row in try model.predictProbabilities(features, .sequential).rowArrays {
        #expect(row.allSatisfy { $0 >= 0 && $0 <= 1 } && abs(row.reduce(0, +) - 1) < 1e-6, place)
      }
    }
    if let model = model as? any RegressionModel {
      #expect(try model.predict(features, .sequential).allSatisfy(\.isFinite), place)
    }
    if let model = model as? any ClusteringModel {
      #expect(try model.assignClusters(features, .sequential).allSatisfy { $0 >= 0 }, place)
    }
    if let model = model as? any TransformationModel {
      let transformed = try model.transform(features, .sequential)
      #expect(transformed.withUnsafeElements { $0.allSatisfy(\.isFinite) }, place)
    }
  }
}
