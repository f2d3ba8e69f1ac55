import ApusParallel
import ApusProcesses
import Foundation

/// The job types that the test worker knows.
package enum TestJobs {
  /// All of them.
  package static let registry: JobRegistry = {
    var registry = JobRegistry()
    registry.register(Square.self)
    registry.register(Misbehave.self)
    registry.register(SumShared.self)
    registry.register(Report.self)
    registry.register(RandomSum.self)
    registry.register(Mark.self)
    registry.register(Gate.self)
    return registry
  }()
}

/// Squares a number.
package struct Square: Job {
  package static let wireName = "test.square"
  package var number: Double
  package init(number: Double) { self.number = number }
  package func run(in context: JobContext) throws -> Double { number * number }
}

/// Does what jobs should not do.
package struct Misbehave: Job {
  package static let wireName = "test.misbehave"
  package enum Deed: String, Codable, Sendable {
    case nothing, trap, complain, kill, exit, hang, freeze, print, closeOutput, hugeOutput, sleep, throwing
    /// Complains and throws; ends whoever started the worker.
    case lament, killParent
    /// Keeps memory; keeps more than the process may have; keeps more than its control group may have.
    case allocate, exceedLimit, exceedGroup
    /// Keeps memory until it is stopped.
    case devour
  }
  package var deed: Deed
  package var amount: Int
  package var label: String { "\(deed.rawValue) \(amount)" }
  /// A control group for ``Deed/exceedGroup``.
  package var group: String?
  package init(_ deed: Deed, amount: Int = 0, group: String? = nil) {
    self.deed = deed
    self.amount = amount
    self.group = group
  }

  /// Memory that is never given back.
  nonisolated(unsafe) private static var kept: [[UInt8]] = []

  package func run(in context: JobContext) throws -> String {
    switch deed {
    case .nothing: break
    case .trap:
      let numbers = [Int](repeating: 0, count: amount)
      return "\(numbers[amount + 1])"
    case .complain:
      FileHandle.standardError.write(Data("the moon is missing\nand so is the sun\n".utf8))
      abort()
    case .exceedLimit:
      var limit = rlimit(rlim_cur: rlim_t(amount), rlim_max: rlim_t(amount))
      setrlimit(__rlimit_resource_t(9), &limit)  // RLIMIT_AS, which Swift does not import.
      Self.kept.append([UInt8](repeating: 1, count: amount))
    case .exceedGroup:
      try "\(getpid())".write(toFile: (group ?? "") + "/cgroup.procs", atomically: false, encoding: .utf8)
      while true { Self.kept.append([UInt8](repeating: 1, count: amount)) }
    case .lament:
      FileHandle.standardError.write(Data("the sea of job \(amount) is missing\n".utf8))
      throw ApusError(.numerical, "job \(amount) cannot be done")
    case .kill: Foundation.kill(getpid(), SIGKILL)
    case .killParent:
      Foundation.kill(getppid(), SIGKILL)
      sleep(60)
    case .exit: Foundation.exit(Int32(amount))
    case .hang: while true { usleep(10_000) }
    case .freeze: Foundation.kill(getpid(), SIGSTOP)
    case .print:
      print("hello from job \(amount)")
      FileHandle.standardOutput.write(Data("raw bytes \u{0}APUSWRK\n".utf8))
    case .allocate: Self.kept.append([UInt8](repeating: 1, count: amount))
    case .devour:
      Self.kept.append([UInt8](repeating: 1, count: amount))
      sleep(60)
    case .closeOutput: for descriptor in 0..<3 { close(Int32(descriptor)) }
    case .hugeOutput: return String(repeating: "x", count: amount)
    case .sleep: usleep(UInt32(amount))
    case .throwing: throw ApusError(.numerical, "job \(amount) cannot be done")
    }
    return "pid \(getpid())"
  }
}

/// Large numbers that jobs share.
package struct SharedNumbers: SharedData {
  package static let typeName = "test.numbers"
  package let bytes: SharedBytes
  package let digest: Digest

  package init(count: Int) {
    self.init(
      bytes: SharedBytes(count: count * 8) { region in
        let numbers = region.bindMemory(to: Double.self)
        for index in 0..<count { numbers[index] = Double(index) }
      })
  }

  private init(bytes: SharedBytes) {
    self.bytes = bytes
    digest = SharedLayout(header: [1, 2, 3], regions: [bytes]).digest(typeName: Self.typeName)
  }

  package func layout() -> SharedLayout { SharedLayout(header: [1, 2, 3], regions: [bytes]) }

  package init(layout: SharedLayout) throws {
    guard layout.header == [1, 2, 3], layout.regions.count == 1 else {
      throw ApusError(.format, "not shared numbers")
    }
    self.init(bytes: layout.regions[0])
  }
}

/// Sums shared numbers.
package struct SumShared: Job {
  package static let wireName = "test.sum-shared"
  package struct Output: Codable, Sendable {
    package var sum: Double
    package var isAligned: Bool
    package var pid: Int32
  }
  package var numbers: DataReference<SharedNumbers>
  package init(numbers: DataReference<SharedNumbers>) { self.numbers = numbers }

  package func run(in context: JobContext) throws -> Output {
    let shared = try context.resolve(numbers)
    let numbers = shared.bytes.bytes
    let sum = withExtendedLifetime(shared) {
      numbers.bindMemory(to: Double.self).reduce(0, +)
    }
    // Long enough for every worker to have one, and to map the data while the others do.
    usleep(200_000)
    return Output(
      sum: sum, isAligned: Int(bitPattern: numbers.baseAddress) % 64 == 0, pid: getpid())
  }
}

/// Reports what a job finds around it, and how many threads a nested parallel loop used.
package struct Report: Job {
  package static let wireName = "test.report"
  package struct Output: Codable, Sendable {
    package var index: Int
    package var seed: Seed
    package var threads: Int
    package var budget: Int
    package var loopThreads: Int
    /// The most threads that the worker had during a parallel loop.
    package var processThreads: Int
    package var nestedBackendSlots: Int
    package var isWorkerVariableSet: Bool
    package var openDescriptors: [Int32]
  }
  package init() {}

  package func run(in context: JobContext) throws -> Output {
    let threads = try Parallel(jobs: 8).map(0..<64) { _ in
      usleep(200)
      let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
      return (own: UInt(bitPattern: Int(pthread_self())), all: all)
    }
    return Output(
      index: context.index, seed: context.seed, threads: context.compute.threads,
      budget: CPUBudget.current.cpuCount, loopThreads: Set(threads.map(\.own)).count,
      processThreads: threads.map(\.all).max() ?? 0,
      nestedBackendSlots: try ProcessBackend(registry: TestJobs.registry, workers: 4).capacity.slots,
      isWorkerVariableSet: getenv("APUS_WORKER") != nil,
      openDescriptors: (0..<256).filter { fcntl($0, F_GETFD) >= 0 })
  }
}

/// Adds random numbers, taking some time: its output depends on the seed of the run and the index alone.
package struct RandomSum: Job {
  package static let wireName = "test.random-sum"
  package var microseconds: UInt32
  package init(microseconds: UInt32) { self.microseconds = microseconds }
  package func run(in context: JobContext) throws -> Double {
    var random = context.seed.randomSource()
    var sum = 0.0
    for _ in 0..<100 { sum += random.normal() }
    usleep(microseconds)
    return sum
  }
}

/// Writes its index into a file each time that it runs, which takes some time.
package struct Mark: Job {
  package static let wireName = "test.mark"
  package var path: String
  package var microseconds: UInt32
  package init(path: String, microseconds: UInt32) {
    self.path = path
    self.microseconds = microseconds
  }
  package func run(in context: JobContext) throws -> Int {
    try append("\(context.index)\n", to: path)
    usleep(microseconds)
    return context.index
  }
}

/// Writes its process into a file, and waits until another file is there.
package struct Gate: Job {
  package static let wireName = "test.gate"
  package var path: String
  package var gate: String
  package init(path: String, gate: String) {
    self.path = path
    self.gate = gate
  }
  package func run(in context: JobContext) throws -> Int {
    try append("\(getpid())\n", to: path)
    while !FileManager.default.fileExists(atPath: gate) { usleep(10_000) }
    return context.index
  }
}

/// Adds a line to a file that other processes add to as well.
private func append(_ line: String, to path: String) throws {
  let file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
  defer { close(file) }
  let bytes = Array(line.utf8)
  guard write(file, bytes, bytes.count) == bytes.count else { throw ApusError(.file, "cannot write \(path)") }
}
