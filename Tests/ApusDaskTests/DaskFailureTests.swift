import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Parts of a real cluster go away in the middle of a run.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskFailureTests {
  private static let jobs = (0..<400).map { _ in RandomSum(microseconds: 20_000) }
  private static let options = RunOptions(seed: Seed(3))

  private static func expected() async throws -> [Int: Double] {
    var outputs = [Int: Double]()
    let quick = jobs.map { _ in RandomSum(microseconds: 0) }
    for await result in SequentialBackend().run(quick, options: options) {
      outputs[result.index] = try result.outcome.get()
    }
    return outputs
  }

  /// Runs all jobs, doing something after the first few results, and checks every output.
  private func expectSameBits(
    _ backend: DaskBackend, after count: Int = 10, _ event: () throws -> Void
  ) async throws -> Set<String> {
    var outputs = [Int: Double]()
    var workers = Set<String>()
    for await result in backend.run(Self.jobs, options: Self.options) {
      guard case .success(let output, let execution) = result.outcome else {
        Issue.record("\(result)")
        continue
      }
      #expect(outputs.updateValue(output, forKey: result.index) == nil)
      workers.insert(execution.worker)
      if outputs.count == count { try event() }
    }
    let expected = try await Self.expected()
    #expect(outputs == expected)
    return workers
  }

  @Test func aWorkerIsKilled() async throws {
    let cluster = try LocalDask(workers: 3)
    let backend = try await DaskBackend(cluster)
    while backend.status.workers.count < 3 { try await Task.sleep(for: .milliseconds(50)) }
    _ = try await expectSameBits(backend) { cluster.killWorker(1) }
    while backend.status.workers.count != 2 { try await Task.sleep(for: .milliseconds(50)) }
    await backend.close()
  }

  /// Dask by itself lets a lost worker's batches run again.
  @Test(arguments: [LocalDask.python, LocalDask.olderPython])
  func whatALostWorkerRanCountsAsSentAgain(python: String) async throws {
    let cluster = try LocalDask(workers: 1, python: python)
    let backend = try await DaskBackend(cluster) { $0.python = python }
    let file = cluster.folder.appendingPathComponent("started").path
    let gate = cluster.folder.appendingPathComponent("gate").path
    func hasStarted(_ count: Int) -> Bool {
      let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
      return text.split(separator: "\n").count >= count
    }
    let client = Task {
      var outputs: [Int] = []
      for await result in backend.run([Gate(path: file, gate: gate)]) {
        outputs.append(try result.outcome.get())
      }
      return outputs
    }
    while !hasStarted(1) { try await Task.sleep(for: .milliseconds(20)) }
    #expect(backend.status.retries == 0)
    cluster.killWorker(0)
    try cluster.addWorker()
    while !hasStarted(2) { try await Task.sleep(for: .milliseconds(20)) }
    while backend.status.retries == 0 { try await Task.sleep(for: .milliseconds(20)) }
    #expect(FileManager.default.createFile(atPath: gate, contents: nil))
    #expect(try await client.value == [0])
    #expect(backend.status.retries == 1)
    await backend.close()
  }

  @Test func aWorkerIsDrainedAndAnotherJoins() async throws {
    let cluster = try LocalDask(workers: 1)
    let backend = try await DaskBackend(cluster)
    let workers = Mutex<Set<String>>([])
    // As many jobs as it takes until both workers have done some, however busy the machine.
    let jobs = JobsUntil(least: 400) { workers.withLock { $0.count == 2 } }
    var outputs = [Int: Double]()
    for await result in backend.run(jobs, options: Self.options) {
      guard case .success(let output, let execution) = result.outcome else {
        Issue.record("\(result)")
        continue
      }
      #expect(outputs.updateValue(output, forKey: result.index) == nil)
      workers.withLock { _ = $0.insert(execution.worker) }
      if outputs.count == 10 {
        try cluster.addWorker()
        cluster.drainWorker(0)
      }
    }
    #expect(workers.withLock { $0.count } == 2)
    var expected = [Int: Double]()
    let quick = outputs.keys.map { _ in RandomSum(microseconds: 0) }
    for await result in SequentialBackend().run(quick, options: Self.options) {
      expected[result.index] = try result.outcome.get()
    }
    #expect(outputs == expected)
    await backend.close()
  }

  /// As the image does it: what runs is finished, what waits goes elsewhere, and nothing runs twice.
  @Test func aWorkerThatDrainsFinishesWhatItRuns() async throws {
    let cluster = try LocalDask(workers: 0)
    let drain = ["--preload", repositoryRoot.appendingPathComponent("container/drain.py").path]
    try cluster.addWorker(drain)
    let backend = try await DaskBackend(cluster)
    let marks = cluster.folder.appendingPathComponent("marks").path
    let jobs = (0..<150).map { _ in Mark(path: marks, microseconds: 50_000) }
    var indices = [Int]()
    var workers = Set<String>()
    for await result in backend.run(jobs) {
      guard case .success(let index, let execution) = result.outcome else {
        Issue.record("\(result)")
        continue
      }
      indices.append(index)
      workers.insert(execution.worker)
      if indices.count == 20 {
        try cluster.addWorker(drain)
        cluster.drainWorker(0)
      }
    }
    #expect(indices.sorted() == Array(0..<150) && workers.count == 2)
    let written = try String(contentsOfFile: marks, encoding: .utf8).split(separator: "\n").compactMap {
      Int($0)
    }
    #expect(written.sorted() == Array(0..<150))
    #expect(backend.status.retries == 0)
    while cluster.isRunning(0) { try await Task.sleep(for: .milliseconds(50)) }
    await backend.close()
  }

  /// What takes longer than a worker may drain is given up with it, and runs again elsewhere.
  @Test func aWorkerThatDrainsTooLongGivesUpWhatItRuns() async throws {
    let cluster = try LocalDask(workers: 0, environment: ["APUS_DRAIN_SECONDS": "1"])
    let drain = ["--preload", repositoryRoot.appendingPathComponent("container/drain.py").path]
    try cluster.addWorker(drain)
    let backend = try await DaskBackend(cluster)
    let file = cluster.folder.appendingPathComponent("started").path
    let gate = cluster.folder.appendingPathComponent("gate").path
    func started(_ count: Int) async throws -> [pid_t] {
      while true {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        let processes = text.split(separator: "\n").compactMap { pid_t($0) }
        if processes.count >= count { return processes }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    let client = Task {
      var outcomes: [Result<Int, any Error>] = []
      for await result in backend.run([Gate(path: file, gate: gate)]) {
        outcomes.append(Result { try result.outcome.get() })
      }
      return outcomes
    }
    let first = try await started(1)[0]
    cluster.drainWorker(0)
    while cluster.isRunning(0) { try await Task.sleep(for: .milliseconds(20)) }
    // The process that ran the job does not outlive its worker.
    while kill(first, 0) == 0 { try await Task.sleep(for: .milliseconds(20)) }
    try cluster.addWorker(drain)
    let all = try await started(2)
    #expect(all.count == 2 && all[1] != first)
    #expect(FileManager.default.createFile(atPath: gate, contents: nil))
    let outcomes = await client.value
    #expect(try outcomes.map { try $0.get() } == [0])
    await backend.close()
  }

  @Test func aStoppedRunFreesWhatItHeld() async throws {
    let cluster = try LocalDask(workers: 1)
    let backend = try await DaskBackend(cluster)
    for await result in backend.run([Square(number: 2)]) { #expect(try result.outcome.get() == 4) }
    // Of two jobs either may be the first that the slot takes, so that one hangs alone.
    let flag = Cancellation()
    let stopping = Task {
      try await Task.sleep(for: .seconds(2))
      flag.cancel()
    }
    var reasons: [JobFailure.Reason] = []
    for await result in backend.run([Misbehave(.hang)], options: RunOptions(cancellation: flag)) {
      if case .failure(let failure) = result.outcome { reasons.append(failure.reason) }
    }
    try await stopping.value
    #expect(reasons == [.cancelled])
    // The one slot of the cluster is free for others.
    for await result in backend.run([Square(number: 3)]) { #expect(try result.outcome.get() == 9) }
    await backend.close()
  }

  @Test func everyWorkerIsKilledAndOneReturns() async throws {
    let cluster = try LocalDask(workers: 2)
    let said = Mutex<[String]>([])
    let backend = try await DaskBackend(cluster, { _ in }) { event in
      if case .trouble(let message) = event { said.withLock { $0.append(message) } }
    }
    while backend.status.workers.count < 2 { try await Task.sleep(for: .milliseconds(50)) }
    _ = try await expectSameBits(backend) {
      cluster.killWorker(0)
      cluster.killWorker(1)
      Thread.detachNewThread {
        while !said.withLock({ $0.contains { $0.contains("no worker; waiting") } }) { usleep(50_000) }
        _ = try? cluster.addWorker()
      }
    }
    await backend.close()
  }

  @Test func noWorkerReturns() async throws {
    let cluster = try LocalDask(workers: 1)
    // Longer than a busy scheduler takes to answer.
    let backend = try await DaskBackend(cluster) { $0.absenceTimeout = 15 }
    while backend.status.workers.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
    var failures = [JobFailure]()
    var count = 0
    for await result in backend.run(Self.jobs, options: Self.options) {
      count += 1
      if count == 5 { cluster.killWorker(0) }
      if case .failure(let failure) = result.outcome { failures.append(failure) }
    }
    #expect(count == Self.jobs.count)
    #expect(!failures.isEmpty)
    #expect(failures.allSatisfy { $0.reason == .lost && $0.message.contains("no worker for 15.0 s") })
    // It has given that run up, and not the cluster.
    try cluster.addWorker()
    for await result in backend.run([Square(number: 4)]) { #expect(try result.outcome.get() == 16) }
    await backend.close()
  }

  @Test(arguments: [LocalDask.python, LocalDask.olderPython])
  func theSchedulerIsKilledAndStartedAgain(python: String) async throws {
    let cluster = try LocalDask(workers: 2, python: python)
    let backend = try await DaskBackend(cluster, { $0.python = python })
    _ = try await expectSameBits(backend) {
      try cluster.restartScheduler()
      // Workers without a nanny end with their scheduler; whoever runs them starts them again.
      try cluster.addWorker()
      try cluster.addWorker()
    }
    #expect(backend.status.retries > 0)
    await backend.close()
  }

  @Test func anEndedClientLeavesNothing() async throws {
    let cluster = try LocalDask(workers: 1)
    let backend = try await DaskBackend(cluster)
    var pid: Int32 = 0
    var iterator = backend.run([Misbehave(.nothing)]).makeAsyncIterator()
    if let result = await iterator.next() { pid = Int32(try result.outcome.get().dropFirst(4)) ?? 0 }
    #expect(pid > 0 && kill(pid, 0) == 0)
    let hanging = Task {
      var reasons: [JobFailure.Reason] = []
      for await result in backend.run([Misbehave(.hang)]) {
        if case .failure(let failure) = result.outcome { reasons.append(failure.reason) }
      }
      return reasons
    }
    while backend.status.batches == 0 { try await Task.sleep(for: .milliseconds(50)) }
    await backend.close()
    #expect(await hanging.value == [.lost])
    // Its processes end with it.
    while kill(pid, 0) == 0 { try await Task.sleep(for: .milliseconds(50)) }
    let second = try await DaskBackend(cluster)
    // The one slot is free: nothing of the first client, which hangs, runs on.
    for await result in second.run([Square(number: 3)]) { #expect(try result.outcome.get() == 9) }
    await second.close()
  }

  @Test func aBridgeThatStandsStillIsKilled() async throws {
    let cluster = try LocalDask(workers: 1)
    let python = cluster.folder.appendingPathComponent("python").path
    let number = cluster.folder.appendingPathComponent("number").path
    try "#!/bin/sh\necho $$ > '\(number)'\nexec '\(LocalDask.python)' \"$@\"\n".write(
      toFile: python, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: python)
    let backend = try await DaskBackend(cluster) { $0.python = python }
    let text = try String(contentsOfFile: number, encoding: .utf8)
    let bridge = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    kill(bridge, SIGSTOP)
    await backend.close()
    #expect(kill(bridge, 0) != 0)
  }

  @Test func aSchedulerThatComesLaterIsWaitedFor() async throws {
    let cluster = try LocalDask(workers: 0)
    cluster.killScheduler()
    let backend = Task { try await DaskBackend(cluster) { $0.connectTimeout = 240 } }
    try await Task.sleep(for: .seconds(2))
    try cluster.restartScheduler()
    try cluster.addWorker()
    let late = try await backend.value
    for await result in late.run([Square(number: 3)]) { #expect(try result.outcome.get() == 9) }
    await late.close()
  }

  @Test func nobodyAnswers() async throws {
    await #expect {
      var settings = ClusterSettings()
      settings.python = LocalDask.python
      settings.connectTimeout = 1
      _ = try await DaskBackend("tcp://127.0.0.1:9", registry: TestJobs.registry, settings: settings)
    } throws: { error in
      "\(error)".contains("cannot connect to the scheduler tcp://127.0.0.1:9")
    }
    await #expect {
      var settings = ClusterSettings()
      settings.python = "/usr/bin/true"
      _ = try await DaskBackend("tcp://127.0.0.1:9", registry: TestJobs.registry, settings: settings)
    } throws: { error in
      "\(error)".contains("pip install 'distributed>=2024.2'")
    }
    await #expect {
      _ = try await DaskBackend("127.0.0.1:9", registry: TestJobs.registry)
    } throws: { error in
      "\(error)".contains("write tcp://host:8786")
    }
  }

  @Test func aProgramForAnotherMachineIsRefusedWithATable() async throws {
    let cluster = try LocalDask(workers: 1)
    // The start of an ELF file whose machine, at offset 18, is nobody's.
    var program = try Data(contentsOf: URL(fileURLWithPath: LocalDask.program)).prefix(1 << 16)
    program[18] = 0xFE
    program[19] = 0xCA
    let path = cluster.folder.appendingPathComponent("foreign").path
    try program.write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let backend = try await DaskBackend(cluster, executable: path)
    var message = ""
    for await result in backend.run([Square(number: 2)]) {
      if case .failure(let failure) = result.outcome { message = failure.message }
    }
    #expect(message.contains("cannot run this program"), "\(message)")
    let machine = try runProgram("uname", ["-m"]).output.split(separator: "\n")[0]
    let row = try #require(message.split(separator: "\n").first { $0.contains("machine ") }, "\(message)")
    #expect(row.split(separator: " ") == ["machine", "51966", machine])
    #expect(message.contains("libc ") && message.contains("worker on \(ProcessInfo.processInfo.hostName)"))
    await backend.close()
  }

  @Test func aProgramThatDoesNotFitIsRefusedWithATable() async throws {
    let cluster = try LocalDask(workers: 1)
    var registry = TestJobs.registry
    registry.register(Unheard.self)
    let backend = try await DaskBackend(cluster, registry: registry)
    for await result in backend.run([Unheard()]) {
      guard case .failure(let failure) = result.outcome else {
        Issue.record("it ran")
        continue
      }
      #expect(failure.reason == .lost)
      #expect(failure.message.contains("job test.unheard"), "\(failure)")
      #expect(failure.message.contains("protocol version"), "\(failure)")
    }
    await backend.close()
  }
}

/// A job that the test worker does not know.
private struct Unheard: Job {
  static let wireName = "test.unheard"
  func run(in context: JobContext) throws -> Int { 1 }
}
