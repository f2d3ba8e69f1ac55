import ApusData
import ApusML
import ApusParallel
import Testing

/// Checks that every candidate of a search has the scores of a cross-validation of its own, to the bit.
func expectScoresOfIndependentFits(
  _ search: some HyperparameterSearch, on data: Dataset, slots: Int = 1,
  sourceLocation: SourceLocation = #_sourceLocation
) async throws {
  let backend = try ThreadBackend(workers: slots)
  let results = try await search.run(on: data, backend: backend, cancellation: Cancellation(), onEvent: nil)
    .results
  #expect(results.candidates.count == (try search.candidateCount()), sourceLocation: sourceLocation)
  for candidate in results.candidates {
    let alone = try await crossValidate(
      candidate.estimator.base, on: data, search.options, backend: SequentialBackend())
    for (shared, own) in zip(candidate.scores, alone.candidates[0].scores) {
      #expect(
        shared.test == own.test && shared.train == own.train && !own.mean.isNaN,
        "\(candidate.parameters)", sourceLocation: sourceLocation)
    }
  }
}

@Suite struct PlannerTests {
  private func jointFits(of size: Int) -> Int {
    ScaledMean.jointFits.withLock { $0.filter { $0 == size }.count }
  }

  @Test func candidatesThatShareWorkGetTheScoresOfIndependentFits() async throws {
    let grid = ParameterGrid(ScaledMean()).varying(\.factor, (0..<13).map { Double($0) / 4 })
      .varying(\.offset, [0, 1])
    let options = SearchOptions(metrics: [.r2, .negMaxError], includesTrainScores: true)
    let before = jointFits(of: 13)
    try await expectScoresOfIndependentFits(GridSearch(grid, options), on: numbers())
    // Two offsets on five folds, thirteen factors in each.
    #expect(jointFits(of: 13) - before == 10)
  }

  @Test func groupsAreDividedWhenSlotsWouldBeIdle() async throws {
    let grid = ParameterGrid(ScaledMean()).varying(\.factor, (0..<21).map { Double($0) })
    let options = SearchOptions(splitter: KFold(folds: 2))
    let before = jointFits(of: 11)
    try await expectScoresOfIndependentFits(GridSearch(grid, options), on: numbers(), slots: 4)
    #expect(jointFits(of: 11) - before == 2)
  }

  @Test func pipelinesShareTheirTransformerAndWhatFollows() async throws {
    let means = ParameterGrid(Pipeline(StandardScaler(), ScaledMean()))
      .varying(\.last.factor, (0..<17).map { Double($0) / 4 }).varying(\.first.withMean, [true, false])
    let before = jointFits(of: 17)
    try await expectScoresOfIndependentFits(GridSearch(means), on: numbers())
    #expect(jointFits(of: 17) - before == 10)
    let centroids = ParameterGrid(Pipeline(StandardScaler(), ShrunkenCentroid(jitter: 1)))
      .varying(\.last.shrinkage, [0, 0.25, 0.5]).varying(\.first.withStd, [true, false])
    try await expectScoresOfIndependentFits(
      GridSearch(centroids, SearchOptions(includesTrainScores: true, seed: Seed(4))), on: clouds(), slots: 2)
  }

  @Test func forestsOfFewerAndShallowerTreesAreTakenFromTheLargest() async throws {
    func expectShared<Forest: ForestEstimator>(_ forest: Forest, _ data: Dataset, slots: Int) async throws {
      let grid = try ParameterGrid(forest).varying("treeCount", over: .values([2, 5].map { .integer($0) }))
        .varying("maxDepth", over: .values([.integer(2), .null, .integer(4)]))
        .varying("maxFeatures", over: .values([.integer(1), .real(1)]))
      let options = SearchOptions(
        splitter: KFold(folds: 2, shuffle: true), includesTrainScores: true, seed: Seed(3))
      try await expectScoresOfIndependentFits(GridSearch(grid, options), on: data, slots: slots)
    }
    let iris = try Dataset(bundled: "iris")
    let diabetes = try Dataset(bundled: "diabetes")
    try await expectShared(RandomForestClassifier(), iris, slots: 2)
    try await expectShared(ExtraTreesClassifier(), iris, slots: 1)
    try await expectShared(RandomForestRegressor(), diabetes, slots: 1)
    try await expectShared(ExtraTreesRegressor(), diabetes, slots: 2)
    var limited = RandomForestClassifier()
    limited.maxLeafNodes = 6
    try await expectShared(limited, iris, slots: 2)
    var outOfBag = RandomForestClassifier()
    outOfBag.outOfBagScore = true
    #expect(outOfBag.jointRepresentative == outOfBag)
  }

  @Test func penaltiesOfLassoAndElasticNetShareTheSumsOverTheRows() async throws {
    let diabetes = try Dataset(bundled: "diabetes")
    let few = diabetes.gatheringRows(Array(0..<14))
    let options = SearchOptions(splitter: KFold(folds: 2), includesTrainScores: true)
    let lasso = ParameterGrid(Lasso()).varying(\.alpha, [0.01, 0.1, 1]).varying(\.positive, [true, false])
    let net = ParameterGrid(ElasticNet()).varying(\.alpha, [0.01, 1]).varying(\.l1Ratio, [0.2, 0.9])
      .varying(\.fitIntercept, [true, false])
    for data in [diabetes, few] {
      try await expectScoresOfIndependentFits(GridSearch(lasso, options), on: data)
      try await expectScoresOfIndependentFits(GridSearch(net, options), on: data, slots: 2)
    }
  }

  /// Digits are walked to from zero, iris by Newton's method, letters from a sample, two classes along another score.
  @Test(arguments: ["digits", "iris", "letter", "breast-cancer"])
  func penaltiesOfLogisticRegressionShareTheirBeginning(name: String) async throws {
    var data = try Dataset(bundled: name)
    if name == "letter" { data = data.gatheringRows(Array(0..<9000)) }
    if name == "digits" { data = try data.replacingWeights((0..<data.rowCount).map { 0.5 + Double($0 % 3) }) }
    let grid = try ParameterGrid(Pipeline(StandardScaler(), LogisticRegression()))
      .varying(\.last.c, name == "letter" ? [0.01, 1] : [1e-3, 0.1, 10, .infinity])
      .varying(\.last.penalty, name == "letter" || name == "digits" ? [.l2] : [.l2, .l1])
      .varying("tolerance", over: .values([.real(1e-4), .real(1e-6)]))
    let options = SearchOptions(splitter: KFold(folds: 2, shuffle: true))
    try await expectScoresOfIndependentFits(GridSearch(grid, options), on: data, slots: 2)
  }

  @Test(arguments: [SupportVectorKernel.rbf, .linear, .polynomial, .sigmoid])
  func supportVectorsShareWhatTheirKernelsAreMadeOf(kernel: SupportVectorKernel) async throws {
    var svc = SVC()
    (svc.kernel, svc.coef0) = (kernel, 0.5)
    let grid = try ParameterGrid(Pipeline(StandardScaler(), svc))
      .varying(\.last.c, [0.1, 10]).varying(\.last.probability, [false, true])
      .varying("gamma", over: .values([.string("scale"), .real(1e-3), .real(40)]))
      .varying("classWeight", over: .values([.string("uniform"), .string("balanced")]))
    let options = SearchOptions(splitter: KFold(folds: 2, shuffle: true))
    for name in ["iris", "breast-cancer"] {
      try await expectScoresOfIndependentFits(
        GridSearch(grid, options), on: Dataset(bundled: name), slots: name == "iris" ? 1 : 2)
    }
    var svr = SVR()
    (svr.kernel, svr.coef0) = (kernel, 0.5)
    let tubes = try ParameterGrid(Pipeline(StandardScaler(), svr))
      .varying(\.last.c, [0.1, 10]).varying(\.last.epsilon, [0.1, 5])
      .varying("gamma", over: .values([.string("scale"), .real(1e-3)]))
    let diabetes = try Dataset(bundled: "diabetes").gatheringRows(Array(0..<200))
      .replacingWeights((0..<200).map { $0 % 7 == 0 ? 0 : 1 })
    try await expectScoresOfIndependentFits(GridSearch(tubes, options), on: diabetes)
    // Rows of weight zero have no part in any fit.
    let iris = try Dataset(bundled: "iris")
    let weighted = try iris.replacingWeights((0..<150).map { $0 % 7 == 0 ? 0 : 1 })
    try await expectScoresOfIndependentFits(GridSearch(grid, options), on: weighted)
  }

  @Test func oneThatCannotBeFittedDoesNotDragOthersAlong() async throws {
    let grid = ParameterGrid(ScaledMean(refusesNegative: true)).varying(\.factor, [-1, 1, 2])
    let results = try await GridSearch(grid).run(on: numbers(), backend: SequentialBackend()).results
    #expect(results.failures.map(\.candidate) == [0, 0, 0, 0, 0])
    #expect(!results.candidates[1].scores[0].mean.isNaN && !results.candidates[2].scores[0].mean.isNaN)
  }
}
