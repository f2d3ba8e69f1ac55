import Apus
import Foundation
import Testing

/// Searches on worker processes of the real program.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ProcessSearchTests {
  private static func backend(workers: Int, crashLimit: Int = 2) throws -> ProcessBackend {
    try ProcessBackend(
      registry: .modelSelection, workers: workers, threadsPerWorker: 1, crashLimit: crashLimit,
      executable: ApusBinary.url.path)
  }

  private static var searches: [(data: String, search: GridSearch)] {
    let options = SearchOptions(includesTrainScores: true, seed: Seed(3))
    return [
      ("iris", GridSearch(ParameterGrid(LogisticRegression()).varying(\.c, [0.01, 0.1, 1, 10]), options)),
      ("diabetes", GridSearch(ParameterGrid(Ridge()).varying(\.alpha, [0.1, 1, 10, 100]), options)),
    ]
  }

  /// What a result table says, without times.
  private static func facts(_ outcome: SearchOutcome) -> [String] {
    outcome.results.candidates.map { "\($0.parameters.sorted { $0.key < $1.key }) \($0.scores)" }
      + outcome.results.failures.map { "\($0.candidate) \($0.fold) \($0.reason) \($0.message)" }.sorted()
  }

  @Test(arguments: [1, 3]) func searchesGiveTheBitsThatThreadsGive(_ workers: Int) async throws {
    let pool = try Self.backend(workers: workers)
    for (name, search) in Self.searches {
      let data = try Dataset(bundled: name)
      let threads = try await search.run(on: data, backend: ThreadBackend(workers: 2, threadsPerWorker: 1))
      let processes = try await search.run(on: data, backend: pool)
      #expect(Self.facts(processes) == Self.facts(threads))
      #expect(processes.results.candidates.count == 4)
      #expect(processes.results.failures.isEmpty)
    }
    await pool.close()
  }

  @Test func aSearchSurvivesItsWorkersBeingKilled() async throws {
    let data = try Dataset(bundled: "digits")
    let search = GridSearch(
      ParameterGrid(LogisticRegression()).varying(\.c, (0..<12).map { pow(2, Double($0) - 8) }),
      SearchOptions(refits: false, seed: Seed(5)))
    let expected = try await search.run(on: data, backend: ThreadBackend(workers: 2, threadsPerWorker: 1))
    let pool = try Self.backend(workers: 2, crashLimit: 100)
    let killer = Task {
      var random = Seed(21).randomSource()
      var kills = 0
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(30 + random.integer(below: 60)))
        let pids = Self.workers()
        if !pids.isEmpty, kill(pids[random.integer(below: pids.count)], SIGKILL) == 0 { kills += 1 }
      }
      return kills
    }
    let survived = try await search.run(on: data, backend: pool)
    killer.cancel()
    #expect(await killer.value >= 1)
    #expect(Self.facts(survived) == Self.facts(expected))
    await pool.close()
  }

  @Test func aFitThatTakesTooLongIsARow() throws {
    let run = try ApusBinary.run(
      "search", "letter", "--estimator", "k-means", "--param", "clusterCount=[300,301]", "--cv", "2",
      "--backend", "processes", "--workers", "1", "--fit-timeout", "0.01")
    #expect(run.status == 5)
    #expect(run.errors.contains("more than 0.01 s"))
  }

  @Test func anInterruptStopsThePoolWithinASecond() throws {
    var pids: [Int32] = []
    var start = ContinuousClock.now
    let run = try PseudoTerminal(columns: 80).run([
      "search", "letter", "--estimator", "k-means", "--param", "clusterCount=range(2,401)", "--cv", "2",
      "--backend", "processes", "--workers", "2",
    ]) { process, terminal in
      #expect(terminal.wait { $0.contains("best -") })
      pids = Self.workers(of: process.processIdentifier)
      start = ContinuousClock.now
      process.interrupt()
    }
    #expect(ContinuousClock.now - start < .seconds(2))
    #expect(run.status == 130)
    #expect(run.output.contains("Best: k-means"))
    #expect(pids.count == 2)
    usleep(200_000)
    let alive = pids.filter { pid in
      let state = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
      return !state.isEmpty && !state.contains(") Z ")
    }
    #expect(alive.isEmpty)
  }

  /// The workers that this process has started.
  private static func workers(of parent: Int32 = getpid()) -> [Int32] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(parent)/task")) ?? []
    let children = tasks.flatMap { task in
      ((try? String(contentsOfFile: "/proc/\(parent)/task/\(task)/children", encoding: .utf8)) ?? "")
        .split(separator: " ").compactMap { Int32($0) }
    }
    return children.filter { pid in
      (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8))?.contains("(apus) ") == true
    }.sorted()
  }
}
