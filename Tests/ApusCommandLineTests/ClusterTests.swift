import ApusTestSupport
import Foundation
import Testing

/// The commands for clusters, with a real scheduler and real workers.
@Suite(.blocking, .serialized, .timeLimit(.minutes(15))) struct ClusterTests {
  private static let search = [
    "search", "diabetes", "--estimator", "ridge", "--param", "alpha=log(1e-3,1e3,25)", "--seed", "3",
  ]

  private static func environment(_ scratch: Scratch) -> [String: String] {
    [
      "APUS_PYTHON": repositoryRoot.appendingPathComponent(".build/dask/bin/python").path,
      "XDG_STATE_HOME": scratch.path("state"),
    ]
  }

  /// What a results file says, without times.
  private static func scores(_ path: String) throws -> [String] {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    let kept = lines[0].indices.filter { !lines[0][$0].contains("time") }
    return lines.map { line in kept.map { line[$0] }.joined(separator: ",") }
  }

  @Test func aSearchOnALocalClusterGivesTheBitsOfThreadsAndProcesses() throws {
    let scratch = try Scratch()
    let environment = Self.environment(scratch)
    let none = try ApusBinary.run(
      arguments: Self.search + ["--backend", "dask"], environment: environment)
    #expect(none.status == 3 && none.errors.contains("apus cluster up"), "\(none.errors)")
    let up = try ApusBinary.run(arguments: ["cluster", "up", "--workers", "2"], environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    #expect(up.output.hasPrefix("tcp://127.0.0.1:"))
    #expect(up.errors.contains("2 workers of Dask"))
    defer { _ = try? ApusBinary.run(arguments: ["cluster", "down"], environment: environment) }
    let again = try ApusBinary.run(arguments: ["cluster", "up"], environment: environment)
    #expect(again.status == 3 && again.errors.contains("is up already"), "\(again.errors)")

    var tables: [[String]] = []
    for backend in ["dask", "threads", "processes"] {
      let results = scratch.path("\(backend).csv")
      let run = try ApusBinary.run(
        arguments: Self.search + ["--backend", backend, "--workers", "2", "--results", results],
        environment: environment)
      #expect(run.status == 0, "\(run.errors)")
      if backend == "dask" { #expect(run.errors.contains("Cluster: 2 workers, 2 slots"), "\(run.errors)") }
      tables.append(try Self.scores(results))
    }
    #expect(tables[0].count == 26)
    #expect(tables[0] == tables[1] && tables[1] == tables[2])

    let status = try ApusBinary.run(arguments: ["cluster", "status"], environment: environment)
    #expect(status.output.split(separator: "\n").filter { $0.hasPrefix("worker ") }.count == 2, "\(status)")
    let logs = try ApusBinary.run(arguments: ["cluster", "logs"], environment: environment)
    #expect(logs.output.contains("scheduler\n") && logs.output.contains("Registered to"), "\(logs.output)")
    let down = try ApusBinary.run(arguments: ["cluster", "down"], environment: environment)
    #expect(down.status == 0, "\(down.errors)")
    #expect(try ApusBinary.run(arguments: ["cluster", "status"], environment: environment).status == 3)
  }

  @Test func aKilledClientLeavesNothingAndItsStudyGoesOn() throws {
    let scratch = try Scratch()
    let environment = Self.environment(scratch)
    let up = try ApusBinary.run(arguments: ["cluster", "up", "--workers", "1"], environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    defer { _ = try? ApusBinary.run(arguments: ["cluster", "down"], environment: environment) }
    let forests = [
      "search", "digits", "--estimator", "random-forest-classifier", "--param", "treeCount=50", "--param",
      "minSamplesLeaf=1,2,3,4,5,6,7,8", "--cv", "4", "--backend", "dask", "--study",
      scratch.path("study.sqlite"),
    ]
    let (output, errors) = (Pipe(), Pipe())
    let process = try ApusBinary.start(forests, environment: environment, output: output, errors: errors)
    let said = Collector(reading: errors.fileHandleForReading)
    #expect(said.wait { $0.contains("Cluster: 1 worker") })
    let study = scratch.path("study.sqlite")
    func fits() throws -> Int {
      let list = try ApusBinary.run("study", "list", study, "--json")
      let studies = (try? list.json()["studies"]) as? [[String: Any]]
      return studies?.first?["fits"] as? Int ?? 0
    }
    for _ in 0..<600 where (try? fits()) ?? 0 < 2 { Thread.sleep(forTimeInterval: 0.05) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    // Nothing of the program runs on under Dask's worker.
    let isAlive = {
      try ApusBinary.shell("pgrep -f '/apus-[0-9]+/[0-9a-f]{64}[.][0-9a-f]{12} worker' | grep -vw $$ || true")
        .output
    }
    for _ in 0..<300 where try !isAlive().isEmpty { Thread.sleep(forTimeInterval: 0.1) }
    #expect(try isAlive().isEmpty)
    let resumed = try ApusBinary.run(arguments: forests, environment: environment)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try fits() == 32)
  }

  @Test func clusterOptionsNeedTheBackend() throws {
    let run = try ApusBinary.run(arguments: Self.search + ["--scheduler", "tcp://127.0.0.1:8786"])
    #expect(run.status == 2 && run.errors.contains("--backend dask"), "\(run.errors)")
    let address = try ApusBinary.run(
      arguments: Self.search + ["--backend", "dask", "--scheduler", "127.0.0.1:8786"])
    #expect(address.status == 2 && address.errors.contains("write tcp://host:8786"), "\(address.errors)")
    let waiting = try ApusBinary.run(arguments: Self.search + ["--connect-timeout", "60"])
    #expect(waiting.status == 2 && waiting.errors.contains("--backend dask"), "\(waiting.errors)")
    let resource = try ApusBinary.run(
      arguments: Self.search + [
        "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1", "--needs", "GPU",
      ])
    #expect(resource.status == 2 && resource.errors.contains("write GPU=1"), "\(resource.errors)")
  }

  @Test func aSchedulerThatDoesNotAnswerIsNamed() throws {
    let run = try ApusBinary.run(
      arguments: Self.search + [
        "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9", "--connect-timeout", "0.5",
      ], environment: Self.environment(try Scratch()))
    #expect(run.status != 0 && run.errors.contains("tcp://127.0.0.1:9"), "\(run.errors)")
  }

  @Test func withoutDaskItSaysWhatToInstall() throws {
    let scratch = try Scratch()
    var environment = Self.environment(scratch)
    environment["APUS_PYTHON"] = "/usr/bin/python3"
    let run = try ApusBinary.run(
      arguments: Self.search + ["--backend", "dask", "--scheduler", "tcp://127.0.0.1:1"],
      environment: environment)
    #expect(run.status != 0 && run.errors.contains("pip install 'distributed>=2024.2'"), "\(run.errors)")
    let up = try ApusBinary.run(arguments: ["cluster", "up", "--workers", "1"], environment: environment)
    #expect(up.status == 3 && up.errors.contains("-m pip install distributed"), "\(up.errors)")
  }
}
