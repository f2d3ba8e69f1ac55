import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Foundation
import Synchronization
import Testing

/// Four clusters of points in two classes, the same in every run.
func clouds(rows: Int = 60) throws -> Dataset {
  var random = Seed(5).randomSource()
  let features = Matrix<Double>(rowCount: rows, columnCount: 2) { elements in
    for index in elements.indices { elements[index] = random.normal() + Double(index / 2 % 3) }
  }
  return try Dataset(features: features, target: .classes((0..<rows).map { $0 % 3 == 0 ? "a" : "b" }))
}

func numbers(rows: Int = 20) throws -> Dataset {
  try Dataset(
    features: Matrix(rowCount: rows, columnCount: 1), target: .values((0..<rows).map { Double($0 % 7) + 1 }))
}

@Suite struct SearchTests {
  @Test func theBestCandidateIsFoundAndFittedOnAllRows() async throws {
    let grid = ParameterGrid(ScaledMean()).varying(\.factor, [-1, 0.9, 1, 3])
    let outcome = try await GridSearch(grid, SearchOptions(metrics: [.negMeanSquaredError])).run(
      on: numbers(), backend: SequentialBackend())
    let best = try #require(outcome.best)
    #expect(best.parameters == ["factor": .real(1)])
    #expect(best.scores[0].rank == 1)
    let model = try #require(outcome.bestModel as? ConstantModel)
    // Two runs of 1 … 7 and one of 1 … 6.
    #expect(model.value == 77.0 / 20)
    #expect(outcome.results.isComplete)
  }

  @Test func everySlotCountGivesTheSameBits() async throws {
    let grid = ParameterGrid(ShrunkenCentroid()).varying(\.shrinkage, [0, 0.3, 0.6])
      .varying(\.jitter, [0.5, 1])
    let search = GridSearch(
      grid, SearchOptions(splitter: StratifiedKFold(folds: 4, shuffle: true), seed: Seed(9)))
    let data = try clouds()
    let sequential = try await search.run(on: data, backend: SequentialBackend()).results
    for workers in [1, 2, 4] {
      let results = try await search.run(on: data, backend: ThreadBackend(workers: workers)).results
      #expect(results.candidates.map(\.scores) == sequential.candidates.map(\.scores))
    }
    #expect(Set(sequential.candidates.map { $0.scores[0].mean }).count > 2)
  }

  @Test func candidatesOfAFoldMeetTheSameRandomNumbers() async throws {
    // The noise is the same for both, so nothing but the hyperparameter that plays no part could differ.
    let grid = ParameterGrid(ShrunkenCentroid(jitter: 1)).varying(\.iterations, [10, 20])
    let results = try await GridSearch(grid).run(on: clouds(), backend: SequentialBackend()).results
    #expect(results.candidates[0].scores[0].test == results.candidates[1].scores[0].test)
    #expect(Set(results.candidates[0].scores[0].test).count > 1)
  }

  @Test func aFailureIsARowAndNeverTheBest() async throws {
    let data = try clouds()
    // In every fold but the first, the first training row is row 0.
    let grid = ParameterGrid(ShrunkenCentroid()).varying(\.failsAbove, [data.features[0, 0] - 1, nil])
    let outcome = try await GridSearch(grid, SearchOptions(splitter: KFold(folds: 3))).run(
      on: data, backend: ThreadBackend(workers: 2))
    let results = outcome.results
    #expect(results.candidates[0].scores[0].mean.isNaN)
    #expect(results.candidates[0].scores[0].rank == 2)
    #expect(results.best?.parameters == ["failsAbove": .null])
    #expect(results.failures.count >= 2)
    let failure = try #require(results.failures.last)
    #expect(failure.candidate == 0 && failure.fold == 2 && failure.estimator == "shrunken-centroid")
    #expect(failure.reason == .threw && failure.message.contains("the first cell is above"))
    #expect(failure.worker != nil)
  }

  @Test func aSearchOfFailuresThrowsTheMostCommonReason() async throws {
    let grid = ParameterGrid(ShrunkenCentroid()).varying(\.failsAbove, [-1000, -2000])
    await #expect {
      try await GridSearch(grid).run(on: clouds(), backend: SequentialBackend())
    } throws: { error in
      (error as? ApusError)?.kind == .job && "\(error)".contains("all 10 fits failed")
        && "\(error)".contains("(5 times)") && "\(error)".contains("above -1000")
    }
  }

  @Test func fitsThatDidNotConvergeAreShown() async throws {
    let grid = ParameterGrid(ShrunkenCentroid()).varying(\.iterations, [5, 50])
    let results = try await GridSearch(grid).run(on: clouds(), backend: SequentialBackend()).results
    #expect(results.candidates[0].unconvergedFolds.count == 5)
    #expect(results.candidates[0].unconvergedFolds[0]?.iterations == 5)
    #expect(results.candidates[1].unconvergedFolds.isEmpty)
    #expect(results.unconvergedFitCount == 5)
    #expect(results.candidates[0].mostIterations == 5)
    let residuals = results.candidates[0].unconvergedFolds.values.map(\.residual)
    #expect(results.candidates[0].largestResidual == residuals.max())
    let most = try #require(results.candidates[1].mostIterations)
    #expect(most > 5 && most <= 50)
    let table = results.table
    #expect(table.columns.suffix(3) == ["unconverged_folds", "max_n_iter", "max_residual"])
    #expect(table.rows.map { $0.suffix(3).first } == [.integer(5), .integer(0)])
    #expect(table.rows[0].dropLast().last == .integer(5))
    #expect(table.rows[1].last == results.candidates[1].largestResidual.map { .real($0) })
    // Older files of results have no such entries.
    var json = try JSONEncoder.jobs.encode(results.candidates[1])
    var object = try #require(JSONSerialization.jsonObject(with: json) as? [String: Any])
    #expect(object.removeValue(forKey: "mostIterations") as? Int == most)
    object["largestResidual"] = nil
    json = try JSONSerialization.data(withJSONObject: object)
    EstimatorRegistry.shared.register(ShrunkenCentroid.self)
    let older = try JSONDecoder.jobs.decode(CandidateResult.self, from: json)
    #expect(older.mostIterations == nil && older.scores == results.candidates[1].scores)
  }

  @Test func mistakesAreFoundBeforeAnythingIsFitted() async throws {
    let data = try clouds()
    func message(_ search: some HyperparameterSearch, _ data: Dataset) async -> String {
      do {
        _ = try await search.run(
          on: data, backend: SequentialBackend(), cancellation: Cancellation(),
          onEvent: { _ in Issue.record("a fit was made") })
        return "no error"
      } catch { return "\(error)" }
    }
    let grid = ParameterGrid(ShrunkenCentroid())
    #expect(await message(GridSearch(grid.varying(\.shrinkage, [0, 2])), data).contains("from 0 to 1"))
    #expect(
      await message(GridSearch(grid.varying(\.shrinkage, [])), data).contains("no values for 'shrinkage'"))
    #expect(
      await message(GridSearch(grid.varying(\.shrinkage, over: .uniform(0, 1))), data).contains(
        "random search"))
    #expect(
      await message(GridSearch(grid, SearchOptions(metrics: [.r2])), data).contains("scores regression"))
    #expect(await message(GridSearch(ParameterGrid(ScaledMean())), data).contains("needs numbers"))
    #expect(await message(RandomSearch(grid, draws: 0), data).contains("at least 1 draw"))
    let one = try Dataset(
      features: Matrix(rowCount: 6, columnCount: 1), target: .classes(["x", "x", "x", "x", "x", "x"]))
    #expect(await message(GridSearch(grid), one).contains("at least two classes"))
    let mixed = SearchSpace(grid) + SearchSpace(ParameterGrid(ScaledMean()))
    #expect(await message(GridSearch(mixed), data).contains("scaled-mean is for regression"))
  }

  @Test func eventsTellTheWholeStory() async throws {
    let events = Mutex<[SearchEvent]>([])
    let grid = ParameterGrid(ScaledMean()).varying(\.factor, [0.5, 1]).varying(\.offset, [0, 1])
    _ = try await GridSearch(grid).run(on: numbers(), backend: SequentialBackend()) { event in
      events.withLock { $0.append(event) }
    }
    var (fits, candidates) = (0, 0)
    for event in events.withLock({ $0 }) {
      switch event {
      case .started(let count, let folds, let all): #expect(count == 4 && folds == 5 && all == 20)
      case .fitFinished(_, _, let scores, let failure):
        #expect(scores.count == 1 && failure == nil)
        fits += 1
      case .candidateFinished(_, let estimator, let parameters, let means, _):
        #expect(estimator.name == "scaled-mean" && parameters.count == 2 && !means[0].isNaN)
        candidates += 1
      case .restored, .extended, .refitting, .finished: break
      }
    }
    #expect(fits == 20 && candidates == 4)
  }

  @Test func aCancelledSearchKeepsWhatIsFinished() async throws {
    let cancellation = Cancellation()
    let grid = ParameterGrid(ShrunkenCentroid()).varying(
      \.shrinkage, over: try .linear(from: 0, to: 1, count: 50))
    let outcome = try await GridSearch(grid).run(
      on: clouds(), backend: SequentialBackend(), cancellation: cancellation
    ) { event in
      if case .candidateFinished(let index, _, _, _, _) = event, index == 3 { cancellation.cancel() }
    }
    #expect(!outcome.results.isComplete)
    #expect(outcome.results.candidates.count >= 4 && outcome.results.candidates.count < 10)
    #expect(outcome.bestModel == nil && outcome.best != nil && outcome.results.failures.isEmpty)
  }

  @Test func randomCandidatesFollowTheSeedAlone() async throws {
    let grid = ParameterGrid(ScaledMean()).varying(\.factor, over: .logUniform(0.01, 100))
    func factors(_ draws: Int, seed: UInt64) async throws -> [ParameterValue] {
      try await RandomSearch(grid, draws: draws, SearchOptions(seed: Seed(seed)))
        .run(on: numbers(), backend: SequentialBackend()).results.candidates.map { $0.parameters["factor"]! }
        as [ParameterValue]
    }
    let five = try await factors(5, seed: 3)
    #expect(try await Array(factors(9, seed: 3).prefix(5)) == five)
    #expect(try await factors(5, seed: 4) != five)
    #expect(five.allSatisfy { (0.01...100).contains($0.number!) })
  }

  @Test func randomCandidatesOfAListAreDistinct() async throws {
    let grid = ParameterGrid(ScaledMean()).varying(\.factor, [1, 2, 3]).varying(\.offset, [0, 1])
    let results = try await RandomSearch(grid, draws: 100).run(on: numbers(), backend: SequentialBackend())
      .results
    #expect(results.candidates.count == 6)
    #expect(Set(results.candidates.map(\.parameters)).count == 6)
  }

  @Test func jobsAndScoresCrossAProcessBoundaryUnchanged() async throws {
    EstimatorRegistry.shared.register(ShrunkenCentroid.self)
    let backend = SequentialBackend()
    let data = try clouds()
    let job = FitAndScore(
      data: await backend.put(data),
      splits: await backend.put(SplitPlan(try KFold(folds: 3).splits(of: data, seed: Seed(0)))), fold: 1,
      candidates: [AnyEstimator(ShrunkenCentroid(shrinkage: 0.5, jitter: 0.25))],
      metrics: [.accuracy, .f1Macro], scoresTraining: true, seed: Seed(12))
    let arrived = try JSONDecoder.jobs.decode(FitAndScore.self, from: JSONEncoder.jobs.encode(job))
    var outputs: [[FitScores]] = []
    for await result in backend.run([job, arrived]) { outputs.append(try result.outcome.get()) }
    #expect(outputs[0][0].test == outputs[1][0].test && outputs[0][0].train == outputs[1][0].train)
    #expect(outputs[0][0].test.count == 2 && outputs[0][0].failure == nil)
  }
}

@Suite struct CrossValidationTests {
  @Test func predictionsComeFromModelsThatDidNotSeeTheRow() async throws {
    let data = try numbers(rows: 6)
    let predicted = try await crossValPredict(
      ScaledMean(), on: data, splitter: KFold(folds: 3), backend: ThreadBackend(workers: 2))
    // Targets are 1 … 6; each pair of rows is predicted by the mean of the other four.
    #expect(predicted == .values([4.5, 4.5, 3.5, 3.5, 2.5, 2.5]))
  }

  @Test func overlappingTestSetsHaveNoPredictions() async throws {
    await #expect {
      try await crossValPredict(
        ScaledMean(), on: numbers(), splitter: ShuffleSplit(), backend: SequentialBackend())
    } throws: { "\($0)".contains("no single prediction") }
  }

  @Test func classesAreThoseOfTheDataSet() async throws {
    // Fold 0 tests the only rows of class a, so its model knows b and c alone.
    let data = try Dataset(
      features: Matrix([[0], [0.1], [5], [5.1], [9], [9.1]]),
      target: .classes(["a", "a", "b", "b", "c", "c"]))
    let splitter = PredefinedSplit(foldOfRow: [0, 0, 1, 2, 1, 2])
    let predicted = try await crossValPredict(
      ShrunkenCentroid(), on: data, splitter: splitter, backend: SequentialBackend())
    #expect(predicted == .classes([1, 1, 1, 1, 2, 2]))
  }

  @Test func aDataSetCrossesAProcessBoundaryUnchanged() throws {
    let data = try Dataset(
      features: Matrix([[1, .nan], [3, 1]]),
      columns: [Feature(name: "u"), Feature(name: "v", categories: ["w", "x"])],
      target: .classes(["p", "q"]), weights: [1, 0.5], groups: [7, 8], targetName: "t")
    let arrived = try Dataset(layout: data.layout())
    #expect(arrived.features[0, 1].isNaN && arrived.features.row(1) == [3, 1])
    #expect(arrived.columns == data.columns && arrived.target == data.target)
    #expect(arrived.weights == data.weights && arrived.groups == data.groups && arrived.targetName == "t")
    #expect(arrived.digest == data.digest)
    #expect(try data.replacingWeights(nil).digest != data.digest)
  }
}
