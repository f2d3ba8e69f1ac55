import Apus
import ApusTestSupport
import Foundation
import Testing

/// Searches on worker processes of the real program, compared with the same searches on threads.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ProcessSearchTests {
  private static func backend(workers: Int, crashLimit: Int = 2) throws -> ProcessBackend {
    try ProcessBackend(
      registry: .modelSelection, workers: workers, threadsPerWorker: 1, crashLimit: crashLimit,
      executable: ApusBinary.url.path)
  }

  /// What a result table says, without times.
  private static func facts(_ outcome: SearchOutcome) -> [String] {
    outcome.results.candidates.map {
      "\($0.estimator.name) \($0.parameters.sorted { $0.key < $1.key }) \($0.scores)"
    }
      + outcome.results.failures.map { "\($0.candidate) \($0.fold) \($0.reason) \($0.message)" }.sorted()
  }

  private static func forests(of trees: Int, depths: [ParameterValue]) throws -> SearchSpace {
    try SearchSpace(
      estimators: [AnyEstimator(named: "random-forest-classifier")],
      parameters: [("treeCount", .values([.integer(trees)])), ("maxDepth", .values(depths))])
  }

  private static func expectSameBits(
    _ search: some HyperparameterSearch, on data: Dataset, _ pool: ProcessBackend,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    var search = search
    search.options.refits = false
    let threads = try await search.run(
      on: data, backend: ThreadBackend(workers: 2, threadsPerWorker: 1), cancellation: Cancellation(),
      onEvent: nil)
    let processes = try await search.run(
      on: data, backend: pool, cancellation: Cancellation(), onEvent: nil)
    #expect(facts(processes) == facts(threads), sourceLocation: sourceLocation)
    #expect(processes.results.isComplete, sourceLocation: sourceLocation)
  }

  @Test(arguments: [1, 3]) func searchesGiveTheBitsThatThreadsGive(_ workers: Int) async throws {
    let pool = try Self.backend(workers: workers)
    let (iris, diabetes) = (try Dataset(bundled: "iris"), try Dataset(bundled: "diabetes"))
    let penalties = try ParameterSpace.log(from: 1e-3, to: 1e3, count: 7)
    let shared = SearchOptions(includesTrainScores: true, seed: Seed(3))
    try await Self.expectSameBits(
      GridSearch(ParameterGrid(Ridge()).varying(\.alpha, over: penalties), shared), on: diabetes, pool)
    try await Self.expectSameBits(
      GridSearch(
        ParameterGrid(Pipeline(StandardScaler(), Ridge())).varying(\.last.alpha, over: penalties)
          .varying(\.first.withMean, [true, false]),
        SearchOptions(splitter: KFold(folds: 3, shuffle: true), seed: Seed(4))), on: diabetes, pool)
    try await Self.expectSameBits(
      GridSearch(
        ParameterGrid(LogisticRegression(tolerance: 1e-9, maxIterations: 10_000))
          .varying(\.c, over: penalties), SearchOptions(metrics: [.accuracy, .negLogLoss])), on: iris, pool)
    try await Self.expectSameBits(
      GridSearch(
        ParameterGrid(Pipeline(StandardScaler(), LogisticRegression())).varying(
          \.last.c, [0.01, 0.1, 1, 10]),
        SearchOptions(metrics: [.accuracy, .rocAUC, .f1, .negLogLoss])),
      on: Dataset(bundled: "breast-cancer"), pool)
    try await Self.expectSameBits(
      RandomSearch(try Self.forests(of: 10, depths: [.integer(2), .integer(4), .null]), draws: 3, shared),
      on: iris, pool)
    await pool.close()
  }

  /// Each estimator of the program in a search of its own, with whatever randomness it has.
  @Test func everyEstimatorGivesTheBitsThatThreadsGive() async throws {
    let pool = try Self.backend(workers: 2)
    let rows = Array(0..<90)
    let iris = try Dataset(bundled: "iris").gatheringRows(rows.map { $0 * 7 % 150 })
    let diabetes = try Dataset(bundled: "diabetes").gatheringRows(rows)
    let options = SearchOptions(
      splitter: ShuffleSplit(splitCount: 2, testFraction: 0.3), includesTrainScores: true, seed: Seed(11))
    var searched = 0
    // Other tests of this program register estimators that the workers do not know.
    for type in EstimatorRegistry.shared.all
    where type.task != .transformation && String(reflecting: type).hasPrefix("ApusML.") {
      let space = try SearchSpace(estimators: [AnyEstimator(named: type.name)], parameters: [])
      let data = type.task == .regression ? diabetes : iris
      try await Self.expectSameBits(GridSearch(space, options), on: data, pool)
      searched += 1
    }
    #expect(searched >= 20)
    await pool.close()
  }

  /// These decide by scores alone, whatever the order in which workers finish.
  @Test(arguments: [
    SearchMethod.halving(HalvingSettings(smallest: 30)),
    .hyperband(HalvingSettings(resource: .hyperparameter("treeCount"), smallest: 3, largest: 30)),
    .parzen(ParzenSettings(candidates: 25)),
  ]) func searchesThatDecideAsTheyGoGiveTheBitsThatThreadsGive(_ method: SearchMethod) async throws {
    let pool = try Self.backend(workers: 3)
    let space = try SearchSpace(
      estimators: [AnyEstimator(named: "random-forest-classifier")],
      parameters: [
        ("maxDepth", .values((1...4).map { .integer($0) })),
        ("minSamplesLeaf", .values([1, 2, 5, 9].map { .integer($0) })),
      ])
    let options = SearchOptions(metrics: [.negLogLoss], seed: Seed(8))
    var search = AdaptiveSearch(space, method, options)
    try await Self.expectSameBits(search, on: Dataset(bundled: "iris"), pool)
    if case .parzen = method {
      search.racing = Racing()
      try await Self.expectSameBits(search, on: Dataset(bundled: "iris"), pool)
    }
    await pool.close()
  }

  /// Forests of several depths are one job; the crash of that job must not take its candidates along.
  @Test func candidatesThatShareAFitOutliveItsWorker() async throws {
    let data = try Dataset(bundled: "digits")
    let search = GridSearch(
      try Self.forests(of: 400, depths: [.integer(3), .integer(9), .null]),
      SearchOptions(splitter: KFold(folds: 2, shuffle: true), refits: false, seed: Seed(6)))
    let expected = try await search.run(on: data, backend: ThreadBackend(workers: 2, threadsPerWorker: 1))
    let pool = try Self.backend(workers: 1, crashLimit: 1)
    let killer = Task {
      while !Task.isCancelled {
        for pid in WorkerProcesses.atWork() where kill(pid, SIGSEGV) == 0 { return true }
        try? await Task.sleep(for: .milliseconds(5))
      }
      return false
    }
    let survived = try await search.run(on: data, backend: pool)
    killer.cancel()
    #expect(await killer.value)
    #expect(survived.results.failures.isEmpty && survived.results.isComplete)
    #expect(Self.facts(survived) == Self.facts(expected))
    await pool.close()
  }

  @Test func aSweepSurvivesFiftyKilledWorkers() async throws {
    let data = try Dataset(bundled: "digits")
    let search = GridSearch(
      ParameterGrid(LogisticRegression()).varying(\.c, (0..<12).map { pow(2, Double($0) - 8) }),
      SearchOptions(refits: false, seed: Seed(5)))
    let expected = try await search.run(on: data, backend: ThreadBackend(workers: 2, threadsPerWorker: 1))
    // Random kills hit a fit more than twice, through no fault of its own.
    let pool = try Self.backend(workers: 2, crashLimit: 1000)
    let killer = Task {
      var random = Seed(21).randomSource()
      var kills = 0
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(20 + random.integer(below: 60)))
        // Only those at work: a busy machine needs longer to start one than this test waits.
        let pids = WorkerProcesses.atWork()
        if !pids.isEmpty, kill(pids[random.integer(below: pids.count)], SIGKILL) == 0 { kills += 1 }
        if kills == 50 { break }
      }
      return kills
    }
    defer { killer.cancel() }
    let isOver = Cancellation()
    Task {
      _ = await killer.value
      isOver.cancel()
    }
    repeat {
      let survived = try await search.run(on: data, backend: pool)
      #expect(Self.facts(survived) == Self.facts(expected))
    } while !isOver.isCancelled
    #expect(await killer.value == 50)
    await pool.close()
  }

  @Test func aWorkerHasNoMoreThreadsThanItsShareOfTheCPUs() async throws {
    let data = try Dataset(bundled: "digits")
    // Forests and products of matrices would use every processor if they were let.
    let space =
      try Self.forests(of: 40, depths: [.integer(8), .null])
      + SearchSpace(ParameterGrid(LogisticRegression()).varying(\.c, [0.1, 1, 10]))
    let pool = try Self.backend(workers: 2)
    let watch = Task {
      var most = 0
      while !Task.isCancelled {
        for worker in WorkerProcesses.of() { most = max(most, WorkerProcesses.threadCount(worker)) }
        try? await Task.sleep(for: .milliseconds(2))
      }
      return most
    }
    defer { watch.cancel() }
    _ = try await GridSearch(space, SearchOptions(refits: false)).run(on: data, backend: pool)
    watch.cancel()
    // One runs jobs, one reads what the pool sends, one sends results.
    #expect(await watch.value == 3)
    await pool.close()
  }
}

/// What a user sees of worker processes who drives the program.
@Suite(.serialized, .blocking, .timeLimit(.minutes(5))) struct ProcessCommandTests {
  private let long = [
    "search", "letter", "--estimator", "k-means", "--param", "clusterCount=range(2,401)", "--cv", "2",
    "--backend", "processes", "--workers", "2",
  ]

  @Test func aFitThatTakesTooLongIsARow() throws {
    let run = try ApusBinary.run(
      "search", "letter", "--estimator", "k-means", "--param", "clusterCount=[2,400]", "--cv", "2",
      "--backend", "processes", "--workers", "1", "--fit-timeout", "0.1", "--json")
    // A machine that is slow enough lets both fits of a fold be too long.
    #expect(run.status == 4 || run.status == 5)
    if run.status == 4 {
      let failures = try #require(run.json()["failures"] as? [[String: Any]])
      let failure = try #require(failures.last)
      #expect(failure["reason"] as? String == "timedOut")
      #expect(failure["estimator"] as? String == "k-means")
      #expect((failure["parameters"] as? [String: Any])?["clusterCount"] as? Int == 400)
      #expect((failure["fold"] as? Int).map { (0..<2).contains($0) } == true)
      let message = try #require(failure["message"] as? String)
      #expect(message.contains("more than 0.1 s") && message.contains("peak memory"))
    }
  }

  /// A fit that ends its worker each time is a row of its own; the candidate that shared its job has a score.
  @Test func aFitThatEndsItsWorkersIsARow() throws {
    let output = Pipe()
    let process = try ApusBinary.start(
      [
        "search", "iris", "--estimator", "random-forest-classifier", "--param", "treeCount=[5,2000000]",
        "--cv", "2", "--backend", "processes", "--workers", "1", "--json", "--quiet",
      ], output: output, errors: FileHandle.nullDevice)
    let printed = Collector(reading: output.fileHandleForReading)
    var firstSeen: [Int32: ContinuousClock.Instant] = [:]
    var killed: Set<Int32> = []
    while process.isRunning {
      for pid in WorkerProcesses.of(process.processIdentifier)
      where !killed.contains(pid) && WorkerProcesses.threadCount(pid) >= 3 {
        // By then a worker has long done the small forest that it may have been given first.
        if ContinuousClock.now - firstSeen[pid, default: .now] > .seconds(1) {
          if kill(pid, SIGSEGV) == 0 { killed.insert(pid) }
        } else if firstSeen[pid] == nil {
          firstSeen[pid] = .now
        }
      }
      usleep(10_000)
    }
    process.waitUntilExit()
    #expect(process.exitStatus == 4)
    let run = ApusBinary.Result(
      status: process.exitStatus, output: String(decoding: printed.wait(), as: UTF8.self), errors: "")
    let report = try run.json()
    let failures = try #require(report["failures"] as? [[String: Any]])
    #expect(Set(failures.compactMap { $0["fold"] as? Int }) == [0, 1])
    for failure in failures {
      #expect(failure["candidate"] as? Int == 1 && failure["reason"] as? String == "trapped")
      #expect((failure["parameters"] as? [String: Any])?["treeCount"] as? Int == 2_000_000)
      let message = try #require(failure["message"] as? String)
      #expect(message.contains("signal 11") && message.contains("peak memory"), "\(message)")
    }
    // Twice the job of both forests and twice that of the large one, on each of two folds.
    #expect(killed.count == 8)
    #expect((report["best"] as? [String: Any])?["candidate"] as? Int == 0)
  }

  /// A fit that is too slow does not take along the candidate that shared its job.
  @Test func aFitThatTakesTooLongIsARowWhereFitsAreShared() throws {
    let run = try ApusBinary.run(
      "search", "iris", "--estimator", "random-forest-classifier", "--param", "treeCount=[5,2000000]", "--cv",
      "2", "--backend", "processes", "--workers", "1", "--fit-timeout", "1", "--json")
    #expect(run.status == 4)
    let report = try run.json()
    let failures = try #require(report["failures"] as? [[String: Any]])
    #expect(failures.map { $0["candidate"] as? Int } == [1, 1])
    #expect(failures.allSatisfy { $0["reason"] as? String == "timedOut" })
    #expect((report["best"] as? [String: Any])?["candidate"] as? Int == 0)
  }

  @Test(arguments: [SIGINT, SIGTERM]) func aSignalStopsThePoolWithinASecond(_ signal: Int32) throws {
    var pids: [Int32] = []
    var start = ContinuousClock.now
    let run = try PseudoTerminal(columns: 80).run(long) { process, terminal in
      #expect(terminal.wait { $0.contains("best -") })
      pids = WorkerProcesses.of(process.processIdentifier)
      start = .now
      kill(process.processIdentifier, signal)
      #expect(WorkerProcesses.areGone(pids, within: 1))
    }
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(run.status == 128 + signal)
    #expect(run.output.contains("Best: k-means"))
    #expect(pids.count == 2)
  }

  @Test func aProgramThatIsKilledLeavesNoWorker() throws {
    var pids: [Int32] = []
    let run = try PseudoTerminal(columns: 80).run(long) { process, terminal in
      #expect(terminal.wait { $0.contains("best -") })
      pids = WorkerProcesses.of(process.processIdentifier)
      kill(process.processIdentifier, SIGKILL)
      #expect(WorkerProcesses.areGone(pids, within: 2))
    }
    #expect(run.status == 137)
    #expect(pids.count == 2)
  }

  @Test func sizesOfMemoryAreRead() throws {
    let small = ["search", "iris", "--estimator", "logistic-regression", "--param", "c=[1,2]"]
    let run = try ApusBinary.run(
      arguments: small + ["--backend", "processes", "--workers", "1", "--worker-memory", "1.5GiB"])
    #expect(run.status == 0, "\(run.errors)")
    let refused = try ApusBinary.run(
      arguments: small + ["--backend", "processes", "--worker-memory", "much"])
    #expect(refused.status == 2 && refused.errors.contains("not a size of memory"))
    let misplaced = try ApusBinary.run(arguments: small + ["--worker-memory", "1GB"])
    #expect(misplaced.status == 2 && misplaced.errors.contains("--backend processes"))
  }
}
