import ApusParallel
import ApusProcesses
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// The program that tests start as a worker: built beside the test bundle.
let workerProgram = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
  .deletingLastPathComponent().appendingPathComponent("ApusTestWorker").path

/// Lines that workers' jobs print.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

func makeBackend(
  workers: Int = 2, threads: Int = 1, timeout: Double? = nil, memoryLimit: Int? = nil, crashLimit: Int = 2,
  arguments: [String] = ["worker"], lines: Lines = Lines()
) throws -> ProcessBackend {
  try ProcessBackend(
    registry: TestJobs.registry, workers: workers, threadsPerWorker: threads, jobTimeout: timeout,
    memoryLimit: memoryLimit, crashLimit: crashLimit, executable: workerProgram, arguments: arguments,
    onOutput: { lines.add($0) })
}

func failure<Output>(_ outcome: JobOutcome<Output>) -> JobFailure? {
  if case .failure(let failure) = outcome { failure } else { nil }
}

/// Those of some workers that have been welcomed by their pool: they have threads beside the first one.
func atWork(_ workers: Set<Int32>) -> [Int32] {
  workers.filter { worker in
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(worker)/task"))?.count ?? 0) >= 3
  }.sorted()
}

/// The children of this process that are workers, dead ones included.
func workerPIDs() -> Set<Int32> {
  let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return Set(
    all.compactMap { Int32($0) }.filter { pid in
      guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let end = text.lastIndex(of: ")")
      else { return false }
      let fields = text[text.index(after: end)...].split(separator: " ")
      return text.contains("ApusTestWorker") && Int32(fields[1]) == getpid()
    })
}

/// The memory of a process in which pages count by the share of the processes that map them.
func proportionalBytes(_ pid: Int32) -> Int {
  let text = (try? String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)) ?? ""
  let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
  return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
}

/// Names that placed data could have left; there should never be any.
func placedNames() -> [String] {
  ["/dev/shm", PlacedFile.defaultFolders[1]].flatMap { folder in
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { name in
      // As `mkstemp` makes them; tests have folders with longer names.
      name.hasPrefix("apus-") && name.count == 11
    }.map { "\(folder)/\($0)" }
  }.sorted()
}

/// The free space for shared memory; nil where it is too small for the tests' data.
func freeSharedBytes() -> Int? {
  var status = statvfs()
  guard statvfs("/dev/shm", &status) == 0 else { return nil }
  let free = Int(status.f_bavail) * Int(status.f_frsize)
  return free > 1 << 30 ? free : nil
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct ProcessBackendTests {
  @Test func outputsEqualThoseOfThreadsToTheBit() async throws {
    let backend = try makeBackend()
    let odd: [Double] = [.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, 1e308, 0.1]
    let jobs = (0..<3000).map { Square(number: Double($0) / 7) } + odd.map { Square(number: $0) }
    let here = try await SequentialBackend().outputs(of: jobs)
    let there = try await backend.outputs(of: jobs)
    #expect(zip(here, there).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) })
    #expect(there.count == 3007)
    let sums = (0..<200).map { _ in RandomSum(microseconds: 0) }
    let options = RunOptions(seed: Seed(3))
    #expect(
      try await backend.outputs(of: sums, options: options)
        == SequentialBackend().outputs(of: sums, options: options))
    await backend.close()
  }

  @Test func everyWayToFailIsARowAndSparesTheOthers() async throws {
    let lines = Lines()
    let backend = try makeBackend(timeout: 1, lines: lines)
    var jobs = (0..<60).map { Misbehave(.nothing, amount: $0) }
    jobs[5] = Misbehave(.trap, amount: 5)
    jobs[12] = Misbehave(.kill, amount: 12)
    jobs[20] = Misbehave(.exit, amount: 3)
    jobs[31] = Misbehave(.hang, amount: 31)
    jobs[40] = Misbehave(.freeze, amount: 40)
    jobs[47] = Misbehave(.throwing, amount: 47)
    jobs[53] = Misbehave(.complain, amount: 53)
    let outcomes = try await backend.outcomes(of: jobs)
    #expect(outcomes.count == 60)
    let failures = outcomes.enumerated().compactMap { index, outcome in failure(outcome).map { (index, $0) } }
    #expect(failures.map(\.0) == [5, 12, 20, 31, 40, 47, 53])
    #expect(
      failures.map(\.1.reason) == [.trapped, .trapped, .trapped, .timedOut, .timedOut, .threw, .trapped])
    #expect(
      failures.map(\.1.job) == [
        "trap 5", "kill 12", "exit 3", "hang 31", "freeze 40", "throwing 47", "complain 53",
      ])
    #expect(failures.allSatisfy { $0.1.worker?.hasPrefix("pid ") == true })
    let messages = failures.map(\.1.message)
    #expect(messages[0].contains("signal 4") && messages[0].contains("peak memory"))
    #expect(messages[0].contains("ended 2 workers"))
    #expect(messages[1].contains("signal 9"))
    #expect(messages[2].contains("exited with code 3"))
    #expect(messages[3].contains("more than 1.0 s") && messages[3].contains("peak memory"))
    #expect(messages[6].contains("signal 6"))
    #expect(messages[6].contains("the moon is missing | and so is the sun"))
    #expect(messages[5] == "job 47 cannot be done")
    await backend.close()
    #expect(workerPIDs().isEmpty)
  }

  @Test func whatJobsPrintIsShownWithTheirNamesAndHarmsNothing() async throws {
    let lines = Lines()
    let backend = try makeBackend(workers: 1, lines: lines)
    let outputs = try await backend.outputs(
      of: (0..<20).map { Misbehave($0 < 10 ? .print : $0 == 10 ? .closeOutput : .nothing, amount: $0) })
    #expect(outputs.count == 20)
    for job in 0..<10 { #expect(lines.all.contains("[print \(job)] hello from job \(job)")) }
    await backend.close()
  }

  @Test func aBannerBeforeTheGreetingIsNoProtocol() async throws {
    let backend = try makeBackend(arguments: ["noisy"])
    #expect(try await backend.outputs(of: [Square(number: 3)]) == [9])
    await backend.close()
  }

  @Test func aPoolThatCannotStartSaysWhy() async throws {
    func message(_ arguments: [String]) async throws -> String {
      let backend = try makeBackend(arguments: arguments)
      let outcomes = try await backend.outcomes(of: (0..<50).map { Square(number: Double($0)) })
      #expect(outcomes.count == 50)
      #expect(outcomes.allSatisfy { failure($0)?.reason == .lost })
      await backend.close()
      return failure(outcomes[49])?.message ?? ""
    }
    let exited = try await message(["exits"])
    #expect(exited.contains("exited with code 9") && exited.contains("cannot find the moon"))
    #expect(try await message(["unhooked"]).contains("WorkerHook.runIfWorker"))
    let ignorant = try await message(["ignorant"])
    #expect(ignorant.contains("does not fit the pool") && ignorant.contains("job test.square"))
    #expect {
      try ProcessBackend(registry: TestJobs.registry, executable: "/nowhere/apus")
    } throws: { "\($0)".contains("/nowhere/apus") }
  }

  @Test func anUnregisteredJobIsRefusedBeforeItIsSent() async throws {
    struct Unknown: Job {
      static let wireName = "test.unknown"
      func run(in context: JobContext) throws -> Int { 0 }
    }
    let backend = try makeBackend()
    let outcomes = try await backend.outcomes(of: Array(repeating: Unknown(), count: 30))
    #expect(outcomes.count == 30)
    #expect(outcomes.allSatisfy { failure($0)?.reason == .notRegistered })
    #expect(failure(outcomes[0])?.message.contains("registry.register(Unknown.self)") == true)
    #expect(workerPIDs().isEmpty)
  }

  @Test func dataIsMappedOnceForAllWorkers() async throws {
    let backend = try makeBackend(workers: 4)
    let numbers = SharedNumbers(count: 16 << 20)
    let reference = try await backend.put(numbers)
    #expect(try await backend.put(numbers) == reference)
    let outputs = try await backend.outputs(of: Array(repeating: SumShared(numbers: reference), count: 4))
    let count = Double(16 << 20)
    #expect(outputs.allSatisfy { $0.sum == count * (count - 1) / 2 && $0.isAligned })
    let workers = Set(outputs.map(\.pid))
    #expect(workers.count == 4)
    // Workers keep the mapping. Four that had the 128 MiB each to themselves would come to 512 MiB.
    let bytes = workers.map(proportionalBytes).reduce(0, +)
    #expect(bytes > 128 << 20)
    #expect(bytes < (128 + 4 * 15) << 20)
    await backend.remove(reference.digest)
    #expect(try await backend.outputs(of: [SumShared(numbers: reference)]).count == 1)
    await backend.remove(reference.digest)
    let outcome = try await backend.outcomes(of: [SumShared(numbers: reference)])[0]
    #expect(failure(outcome)?.message.contains("test.numbers") == true)
    await backend.close()
  }

  @Test func memoryThatIsRefusedIsARow() async throws {
    let backend = try makeBackend()
    var jobs = (0..<10).map { Misbehave(.nothing, amount: $0) }
    jobs[4] = Misbehave(.exceedLimit, amount: 1 << 30)
    let outcomes = try await backend.outcomes(of: jobs)
    #expect(outcomes.indices.filter { failure(outcomes[$0]) != nil } == [4])
    let refused = try #require(failure(outcomes[4]))
    #expect(refused.reason == .trapped && refused.job == "exceedLimit \(1 << 30)")
    #expect(refused.message.contains("was killed by signal") && refused.message.contains("peak memory"))
    await backend.close()
  }

  /// The kernel itself kills the worker: it joins a control group that may have 48 MiB.
  @Test(.enabled(if: MemoryGroup.canBeMade)) func memoryThatRunsOutIsARow() async throws {
    let group = try MemoryGroup(bytes: 48 << 20)
    defer { group.remove() }
    let backend = try makeBackend()
    var jobs = (0..<10).map { Misbehave(.nothing, amount: $0) }
    jobs[4] = Misbehave(.exceedGroup, amount: 8 << 20, group: group.path)
    let outcomes = try await backend.outcomes(of: jobs)
    #expect(outcomes.indices.filter { failure(outcomes[$0]) != nil } == [4])
    let killed = try #require(failure(outcomes[4]))
    #expect(killed.reason == .outOfMemory)
    #expect(killed.message.contains("signal 9") && killed.message.contains("short of memory"))
    await backend.close()
    #expect(workerPIDs().isEmpty)
  }

  @Test func aWorkerThatSomebodyStopsIsReplaced() async throws {
    let backend = try makeBackend()
    let stopper = Task {
      while atWork(workerPIDs()).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      let worker = atWork(workerPIDs())[0]
      kill(worker, SIGSTOP)
      return worker
    }
    let outputs = try await backend.outputs(
      of: (0..<200).map { _ in Misbehave(.sleep, amount: 3000) })
    #expect(outputs.count == 200)
    #expect(try await !workerPIDs().contains(stopper.value))
    await backend.close()
    #expect(workerPIDs().isEmpty)
  }

  @Test func aWorkerThatGrowsIsReplacedBetweenJobs() async throws {
    let backend = try makeBackend(workers: 1, memoryLimit: 64 << 20)
    let jobs = (0..<12).map { _ in Misbehave(.allocate, amount: 20 << 20) }
    let pids = Set(try await backend.outputs(of: jobs))
    #expect(pids.count >= 2)
    await backend.close()
  }

  @Test func jobsFindTheirSeedTheirThreadsAndNothingElse() async throws {
    let backend = try makeBackend(threads: 1)
    let reports = try await backend.outputs(
      of: Array(repeating: Report(), count: 10), options: RunOptions(seed: Seed(5)))
    #expect(reports.map(\.index) == Array(0..<10))
    #expect(reports.map(\.seed) == (0..<10).map { Seed(5).derived("job", $0) })
    for report in reports {
      #expect(report.threads == 1 && report.budget == 1 && report.loopThreads == 1)
      // One runs jobs, one reads what the pool sends, one sends results.
      #expect(report.processThreads == 3)
      #expect(report.nestedBackendSlots == 1)
      #expect(!report.isWorkerVariableSet)
      // Standard streams, the two ends of the protocol, the status page: nothing of the parent's.
      #expect(report.openDescriptors.count <= 6)
    }
    await backend.close()
  }

  @Test func endingARunStopsItsJobsWithinASecond() async throws {
    let backend = try makeBackend()
    let flag = Cancellation()
    let clock = ContinuousClock()
    let start = clock.now
    var outcomes: [JobFailure.Reason?] = []
    for await result in backend.run(
      [Misbehave(.nothing)] + Array(repeating: Misbehave(.hang), count: 5),
      options: RunOptions(cancellation: flag))
    {
      outcomes.append(failure(result.outcome)?.reason)
      flag.cancel()
    }
    #expect(outcomes.filter { $0 == .cancelled }.count == 5)
    #expect(clock.now - start < .seconds(10))
    // Letting go of the iterator frees the workers too.
    for await _ in backend.run([Misbehave(.nothing), Misbehave(.hang)]) { break }
    #expect(try await backend.outputs(of: [Square(number: 2), Square(number: 3)]) == [4, 9])
    await backend.close()
  }

  @Test func twoRunsAtOnceShareThePool() async throws {
    let backend = try makeBackend()
    async let first = backend.outputs(of: (0..<500).map { Square(number: Double($0)) })
    async let second = backend.outputs(of: (0..<500).map { Square(number: Double(-$0)) })
    #expect(try await first == second)
    await backend.close()
    #expect(try await backend.outcomes(of: [Square(number: 1)]).isEmpty)
  }

  @Test(.blocking) func nothingIsLeftBehind() throws {
    let names = placedNames()
    let run = try runProgram(workerProgram, ["counts"])
    let counts = run.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(run.exitCode == 0 && counts.count == 4, "\(run.errors)")
    let (before, after, children, pools) = (counts[0], counts[1], counts[2], counts[3])
    // One a pool would be a leak; the runtime may open one or two of its own at any time.
    #expect(before > 0 && after < before + pools / 2 && children == 0, "\(counts)")
    #expect(placedNames() == names)
  }

  @Test(.blocking) func aParentKilledLeavesNothing() throws {
    let before = (names: placedNames(), free: freeSharedBytes())
    let parent = Process()
    parent.executableURL = URL(fileURLWithPath: workerProgram)
    let output = Pipe()
    parent.standardOutput = output
    parent.standardError = FileHandle.nullDevice
    try parent.run()
    var text = ""
    while !text.hasSuffix("ready\n") {
      let bytes = output.fileHandleForReading.availableData
      if bytes.isEmpty { break }
      text += String(decoding: bytes, as: UTF8.self)
    }
    let workers = Set(text.split(separator: "\n").compactMap { Int32($0.dropFirst(4)) })
    #expect(workers.count == 2)
    #expect(workers.allSatisfy { kill($0, 0) == 0 })
    // It has placed 256 MiB.
    if let free = before.free { #expect(freeSharedBytes() ?? 0 < free - 200 << 20) }
    kill(parent.processIdentifier, SIGKILL)
    parent.waitUntilExit()
    func alive() -> Bool {
      workers.contains { pid in
        let state = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        return !state.isEmpty && !state.contains(") Z ")
      }
    }
    while alive(), !Task.isCancelled { usleep(10_000) }
    #expect(!alive())
    #expect(placedNames() == before.names)
    if let free = before.free {
      while freeSharedBytes() ?? 0 < free - 100 << 20, !Task.isCancelled { usleep(10_000) }
      #expect(freeSharedBytes() ?? 0 >= free - 100 << 20)
    }
  }
}
