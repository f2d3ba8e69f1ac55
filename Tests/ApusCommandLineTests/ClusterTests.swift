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

  private static func python(_ program: String, _ argument: String) throws -> String {
    let run = try runProgram(
      repositoryRoot.appendingPathComponent(".build/dask/bin/python").path, ["-c", program, argument])
    #expect(run.exitCode == 0, "\(run.errors)")
    return run.output
  }

  /// What is written down of the local cluster.
  private static func state(_ scratch: Scratch) throws -> [String: Any] {
    let facts = try Data(contentsOf: URL(fileURLWithPath: scratch.path("state/apus/cluster/cluster.json")))
    return try #require(JSONSerialization.jsonObject(with: facts) as? [String: Any])
  }

  /// The addresses at which the processes of the local cluster wait for connections.
  private static func listeningAddresses(_ scratch: Scratch) throws -> [String] {
    try python(
      """
      import json, psutil, sys
      state = json.load(open(sys.argv[1]))
      for pid in [state["scheduler"], *state["workers"]]:
          process = psutil.Process(pid)
          for one in [process, *process.children(recursive=True)]:
              for connection in one.net_connections("inet"):
                  if connection.status == psutil.CONN_LISTEN:
                      print(connection.laddr.ip)
      """, scratch.path("state/apus/cluster/cluster.json")
    ).split(separator: "\n").map(String.init)
  }

  /// The masks of blocked signals of the processes of the local cluster: one that blocks them must be killed.
  private static func blockedSignals(_ scratch: Scratch) throws -> [UInt64] {
    let state = try state(scratch)
    let processes = try [#require(state["scheduler"] as? Int)] + #require(state["workers"] as? [Int])
    return try processes.map { process in
      let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") })
      return try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
    }
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
    #expect(up.errors.contains("2 workers of Dask") && up.errors.contains("listens on 127.0.0.1 only"))
    defer { _ = try? ApusBinary.run(arguments: ["cluster", "down"], environment: environment) }
    let listening = try Self.listeningAddresses(scratch)
    #expect(listening.count >= 4 && Set(listening) == ["127.0.0.1"], "\(listening)")
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
    let shown = try Self.python(
      """
      import sys
      from distributed import Client
      with Client(sys.argv[1]) as client:
          print(client.run_on_scheduler(lambda dask_scheduler: sorted(dask_scheduler.task_prefixes)))
      """, up.output.trimmingCharacters(in: .newlines))
    #expect(shown.contains("'fit ridge #"), "\(shown)")
    #expect(tables[0].count == 26)
    #expect(tables[0] == tables[1] && tables[1] == tables[2])

    let status = try ApusBinary.run(arguments: ["cluster", "status"], environment: environment)
    #expect(status.output.split(separator: "\n").filter { $0.hasPrefix("worker ") }.count == 2, "\(status)")
    let logs = try ApusBinary.run(arguments: ["cluster", "logs"], environment: environment)
    #expect(logs.output.contains("scheduler\n") && logs.output.contains("Registered to"), "\(logs.output)")
    #expect(try Self.blockedSignals(scratch).allSatisfy { $0 == 0 })
    let down = try ApusBinary.run(arguments: ["cluster", "down"], environment: environment)
    #expect(down.status == 0, "\(down.errors)")
    #expect(try ApusBinary.run(arguments: ["cluster", "status"], environment: environment).status == 3)
  }

  @Test func endingAClusterEndsItsProcessesAndNoOthers() throws {
    let scratch = try Scratch()
    let environment = Self.environment(scratch)
    // Python takes no module from the current folder.
    let here = URL(fileURLWithPath: scratch.path("here"))
    try FileManager.default.createDirectory(at: here, withIntermediateDirectories: true)
    try Data("raise SystemExit('mistaken')".utf8).write(to: here.appendingPathComponent("dask.py"))
    let up = try ApusBinary.run(
      arguments: ["cluster", "up", "--workers", "1"], in: here, environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    var state = try Self.state(scratch)
    let scheduler = try Int32(#require(state["scheduler"] as? Int))
    let worker = try Int32(#require((state["workers"] as? [Int])?.first))
    // Without its scheduler it is not up; its worker, which waits for another one, is ended all the same.
    kill(scheduler, SIGKILL)
    while !Task.isCancelled,
      try ApusBinary.run(arguments: ["cluster", "status"], environment: environment).status != 3
    { Thread.sleep(forTimeInterval: 0.1) }
    #expect(try ApusBinary.shell("ps -o stat= -p \(worker)").output.contains { "SR".contains($0) })
    #expect(try ApusBinary.run(arguments: ["cluster", "down"], environment: environment).status == 0)
    #expect(try !ApusBinary.shell("ps -o stat= -p \(worker)").output.contains { "SR".contains($0) })

    // Numbers that other processes have by now.
    let other = Process()
    other.executableURL = URL(fileURLWithPath: "/bin/sleep")
    other.arguments = ["600"]
    try other.run()
    defer { kill(other.processIdentifier, SIGKILL) }
    state["scheduler"] = Int(other.processIdentifier)
    state["workers"] = [Int(other.processIdentifier)]
    let folder = URL(fileURLWithPath: scratch.path("state/apus/cluster"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try JSONSerialization.data(withJSONObject: state).write(to: folder.appendingPathComponent("cluster.json"))
    #expect(try ApusBinary.run(arguments: ["cluster", "down"], environment: environment).status == 3)
    #expect(kill(other.processIdentifier, 0) == 0 && other.isRunning)
  }

  /// A page of Dask's dashboard is drawn by Bokeh from a document, which the browser follows over a connection of its own.
  @Test func theDashboardShowsTheSearch() throws {
    let scratch = try Scratch()
    let environment = Self.environment(scratch)
    let up = try ApusBinary.run(arguments: ["cluster", "up", "--workers", "1"], environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    defer { _ = try? ApusBinary.run(arguments: ["cluster", "down"], environment: environment) }
    let address = try #require(up.errors.firstMatch(of: /dashboard at (http:[^ \n]+)\/status/)).1
    let search = try ApusBinary.start(
      [
        "search", "digits", "--estimator", "random-forest-classifier", "--param", "treeCount=10000",
        "--param",
        "minSamplesLeaf=1,2,3,4,5,6,7,8", "--cv", "4", "--backend", "dask",
      ], environment: environment, output: FileHandle.nullDevice, errors: FileHandle.nullDevice)
    defer {
      kill(search.processIdentifier, SIGKILL)
      search.waitUntilExit()
    }
    let shown = try Self.python(
      """
      import re, sys, time, urllib.request
      from bokeh.client import pull_session
      with urllib.request.urlopen(sys.argv[1] + "/status") as page:
          print(page.status, "<title>Dask" in page.read().decode())
      deadline = time.monotonic() + 120
      names = []
      while not names and time.monotonic() < deadline:
          time.sleep(0.5)
          # The page as it is now, as by a reload.
          session = pull_session(url=sys.argv[1] + "/individual-progress")
          names = re.findall("fit random.{0,30}?#[0-9a-f]{4}", str(session.document.to_json()))
          session.close()
      print(*names[:1])
      """, String(address))
    #expect(
      shown.wholeMatch(of: /200 True\nfit random forest classifier #[0-9a-f]{4}\n/) != nil, "\(shown)")
  }

  /// The processes that were started for the cluster of some state folder, with what they have started.
  private static func processes(_ scratch: Scratch) throws -> String {
    // Its own shell is not meant.
    try ApusBinary.shell(
      "pgrep -f '[\(scratch.path("state").prefix(1))]\(scratch.path("state").dropFirst())' || true"
    )
    .output
  }

  @Test(arguments: [0, 0.05, 0.3, 1, 3]) func aStartThatIsInterruptedLeavesNothingThatIsNotFound(
    seconds: Double
  ) throws {
    let scratch = try Scratch()
    let environment = Self.environment(scratch)
    let process = try ApusBinary.start(
      ["cluster", "up", "--workers", "2"], environment: environment, output: FileHandle.nullDevice,
      errors: FileHandle.nullDevice)
    Thread.sleep(forTimeInterval: seconds)
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    let status = try ApusBinary.run(arguments: ["cluster", "status"], environment: environment).status
    _ = try ApusBinary.run(arguments: ["cluster", "down"], environment: environment)
    while !Task.isCancelled, try !Self.processes(scratch).isEmpty { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try Self.processes(scratch) == "", "its status was \(status)")
    // Whatever is left, the next one begins.
    #expect(
      try ApusBinary.run(arguments: ["cluster", "up", "--workers", "1"], environment: environment).status == 0
    )
    #expect(try ApusBinary.run(arguments: ["cluster", "down"], environment: environment).status == 0)
    #expect(!FileManager.default.fileExists(atPath: scratch.path("state/apus/cluster")))
  }

  @Test func ofTwoStartsAtOnceOneIsUp() throws {
    let scratch = try Scratch()
    let environment = Self.environment(scratch)
    let errors = [Pipe(), Pipe()]
    let starts = try errors.map {
      try ApusBinary.start(
        ["cluster", "up", "--workers", "1"], environment: environment, output: FileHandle.nullDevice,
        errors: $0)
    }
    let said = errors.map {
      String(decoding: Collector(reading: $0.fileHandleForReading).wait(), as: UTF8.self)
    }
    for start in starts { start.waitUntilExit() }
    #expect(starts.map(\.exitStatus).sorted() == [0, 3], "\(said)")
    #expect(said.filter { $0.contains("is up already") }.count == 1, "\(said)")
    #expect(try ApusBinary.run(arguments: ["cluster", "down"], environment: environment).status == 0)
    while !Task.isCancelled, try !Self.processes(scratch).isEmpty { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try Self.processes(scratch) == "")
  }

  @Test func aSchedulerThatStandsStillIsNotWaitedForWithoutEnd() throws {
    let scratch = try Scratch()
    let environment = Self.environment(scratch)
    let up = try ApusBinary.run(arguments: ["cluster", "up", "--workers", "1"], environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    let scheduler = try Int32(#require(Self.state(scratch)["scheduler"] as? Int))
    kill(scheduler, SIGSTOP)
    let status = try ApusBinary.run(arguments: ["cluster", "status"], environment: environment)
    #expect(status.status != 0 && status.errors.contains("has said nothing for 10 s"), "\(status)")
    kill(scheduler, SIGCONT)
    #expect(try ApusBinary.run(arguments: ["cluster", "status"], environment: environment).status == 0)
    #expect(try ApusBinary.run(arguments: ["cluster", "down"], environment: environment).status == 0)
  }

  @Test func filesOfOthersStay() throws {
    let scratch = try Scratch()
    let here = URL(fileURLWithPath: scratch.path("here"))
    let home = scratch.path("home")
    let own = [
      here.appendingPathComponent("apus/cluster/own.txt"),
      URL(fileURLWithPath: "\(home)/.local/state/apus/cluster/own.txt"),
    ]
    for file in own {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("mine".utf8).write(to: file)
    }
    // A variable that is empty, or no whole path, is as one that is not set.
    for state in ["", "."] {
      let environment = Self.environment(scratch).merging(["XDG_STATE_HOME": state, "HOME": home]) { $1 }
      let up = try ApusBinary.run(
        arguments: ["cluster", "up", "--workers", "1"], in: here, environment: environment)
      #expect(up.status == 0, "\(up.errors)")
      #expect(
        try ApusBinary.run(arguments: ["cluster", "down"], in: here, environment: environment).status == 0)
    }
    for file in own {
      let folder = file.deletingLastPathComponent().path
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["own.txt"])
    }
  }

  @Test func withoutAClusterThereAreNoLogs() throws {
    let logs = try ApusBinary.run(
      arguments: ["cluster", "logs"], environment: Self.environment(try Scratch()))
    #expect(logs.status == 3 && logs.errors.contains("no local cluster is up"), "\(logs)")
  }

  @Test func aKilledClientLeavesNothingAndItsStudyGoesOn() throws {
    let scratch = try Scratch()
    // Its processes are told from those of other clusters on this machine by where their program lies.
    let programs = scratch.path("programs")
    try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
    let environment = Self.environment(scratch).merging(["TMPDIR": programs]) { $1 }
    let up = try ApusBinary.run(arguments: ["cluster", "up", "--workers", "1"], environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    defer { _ = try? ApusBinary.run(arguments: ["cluster", "down"], environment: environment) }
    let forests = [
      "search", "digits", "--estimator", "random-forest-classifier", "--param", "treeCount=1000", "--param",
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
    while process.isRunning, !Task.isCancelled, try fits() < 2 { Thread.sleep(forTimeInterval: 0.05) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    let kept = try fits()
    #expect((2..<32).contains(kept))
    // Nothing of the program runs on under Dask's worker.
    let isAlive = {
      try ApusBinary.shell(
        "pgrep -f '\(programs)/apus-[0-9]+/[0-9a-f]{64}[.][0-9a-f]{12} worker' | grep -vw $$ || true"
      )
      .output
    }
    while !Task.isCancelled, try !isAlive().isEmpty { Thread.sleep(forTimeInterval: 0.1) }
    #expect(try isAlive().isEmpty)
    let resumed = try ApusBinary.run(arguments: forests, environment: environment)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.errors.contains("Continuing: \(kept) of 32 fits"), "\(resumed.errors)")
    #expect(try fits() == 32)
  }

  @Test func aClusterThatEndsInTheMiddleOfASearchLeavesNoData() throws {
    let scratch = try Scratch()
    let programs = scratch.path("programs")
    try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
    let environment = Self.environment(scratch).merging(["TMPDIR": programs]) { $1 }
    let up = try ApusBinary.run(arguments: ["cluster", "up", "--workers", "2"], environment: environment)
    #expect(up.status == 0, "\(up.errors)")
    defer { _ = try? ApusBinary.run(arguments: ["cluster", "down"], environment: environment) }
    let errors = Pipe()
    let search = try ApusBinary.start(
      [
        "search", "digits", "--estimator", "random-forest-classifier", "--param", "treeCount=10000",
        "--param",
        "minSamplesLeaf=1,2,3,4,5,6,7,8", "--cv", "4", "--backend", "dask",
      ], environment: environment, output: FileHandle.nullDevice, errors: errors)
    let said = Collector(reading: errors.fileHandleForReading)
    defer {
      kill(search.processIdentifier, SIGKILL)
      search.waitUntilExit()
    }
    // The name of its session is a part of the name of its program there.
    var session = ""
    while !Task.isCancelled, search.isRunning, session.isEmpty {
      let running = try ApusBinary.shell("pgrep -af '\(programs)/apus-[0-9]+/[0-9a-f]{64}[.]' || true").output
      session = running.firstMatch(of: /[0-9a-f]{64}\.([0-9a-f]{12}) worker/).map { String($0.1) } ?? ""
      Thread.sleep(forTimeInterval: 0.05)
    }
    func files() throws -> [String] {
      try ["/dev/shm", programs].flatMap { place in
        let folder = "\(place)/apus-\(getuid())"
        guard FileManager.default.fileExists(atPath: folder) else { return [String]() }
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(session) }
      }
    }
    #expect(try !session.isEmpty && !files().isEmpty)
    #expect(try ApusBinary.run(arguments: ["cluster", "down"], environment: environment).status == 0)
    while !Task.isCancelled, try !files().isEmpty { Thread.sleep(forTimeInterval: 0.1) }
    #expect(try files() == [])
    #expect(!said.text.contains("Error: "), "\(said.text)")
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
    #expect(!run.errors.contains("without TLS"), "\(run.errors)")
    // An address for documentation, which nobody has.
    let far = try ApusBinary.run(
      arguments: Self.search + [
        "--backend", "dask", "--scheduler", "tcp://192.0.2.1:9", "--connect-timeout", "0.5",
      ], environment: Self.environment(try Scratch()))
    #expect(far.status != 0 && far.errors.contains("tcp://192.0.2.1:9 is used without TLS"), "\(far.errors)")
    // A name that begins as a loopback address does.
    for (host, isFar) in [
      ("127.example.invalid", true), ("localhost.example.invalid", true), ("127.1.2.3", false),
      ("[::1]", false),
      ("localhost", false),
    ] {
      let run = try ApusBinary.run(
        arguments: Self.search + [
          "--backend", "dask", "--scheduler", "tcp://\(host):9", "--connect-timeout", "0.1",
        ], environment: Self.environment(try Scratch()))
      #expect(run.status != 0 && run.errors.contains("is used without TLS") == isFar, "\(run.errors)")
    }
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
    #expect(up.status == 3 && up.errors.contains("-m pip install distributed bokeh"), "\(up.errors)")
  }
}
