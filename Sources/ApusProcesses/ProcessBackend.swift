import ApusParallel
import Foundation

/// Runs jobs in worker processes of the same executable: a job that crashes, leaks or hangs costs itself and
/// nothing else.
///
/// The program's `main` must call ``WorkerHook/runIfWorker(_:)`` before anything else.
///
/// ```swift
/// WorkerHook.runIfWorker(registry)
/// let backend = try ProcessBackend(registry: registry, workers: 4, jobTimeout: 60)
/// for await result in backend.run(jobs) { print(result.index, result.outcome) }
/// await backend.close()
/// ```
///
/// Workers start with the first run, all at once, and serve later runs too. They end when the last copy of the
/// backend is let go, when the program ends, and when it is killed. Inside a job, a process backend starts no
/// processes and runs its jobs one after another.
public struct ProcessBackend: ParallelBackend {
  /// `processes`.
  public let name = "processes"
  /// How many workers run at once, with how many threads each.
  public let capacity: Capacity
  private let registry: JobRegistry
  private let pool: PoolHandle?
  private let nested: SequentialBackend
  private let placed = PlacedData()

  /// Creates a pool; its workers are started when jobs come.
  ///
  /// - Parameters:
  ///   - registry: the job types that may run; the workers must know all of them.
  ///   - workers: how many workers run at once, counted as joblib counts: -1 (the default) all CPUs of the
  ///     budget, -2 all but one.
  ///   - threadsPerWorker: threads that each job may use; unless given, what the budget leaves to each worker.
  ///   - jobTimeout: seconds after which a job counts as hung and is stopped with its worker; nil for never.
  ///   - memoryLimit: bytes of private memory beyond which a worker is replaced between two jobs; nil for never.
  ///   - crashLimit: how many workers a job may crash before it is recorded as failed and not tried again.
  ///   - executable: the program to start as a worker; the running one unless given.
  ///   - arguments: the arguments of the workers.
  ///   - onOutput: called on the pool's thread with each line that a job prints, with the job's label before
  ///     it; writes to standard error unless given.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for limits that cannot be, of kind `file` when the
  ///   executable cannot be read, of kind `job` in a worker that did not call its hook.
  public init(
    registry: JobRegistry, workers: Int = -1, threadsPerWorker: Int? = nil, jobTimeout: Double? = nil,
    memoryLimit: Int? = nil, crashLimit: Int = 2, executable: String? = nil, arguments: [String] = ["worker"],
    onOutput: @escaping @Sendable (_ line: String) -> Void = ProcessBackend.writeToStandardError
  ) throws {
    self.registry = registry
    if let jobTimeout, !(jobTimeout > 0) {
      throw ApusError(.invalidParameter, "a job timeout of \(jobTimeout) s leaves no time for any job")
    }
    guard crashLimit >= 1 else {
      throw ApusError(.invalidParameter, "a crash limit of \(crashLimit) is less than one crash")
    }
    nested = SequentialBackend(threads: CPUBudget.current.cpuCount)
    guard CPUShare.current == nil else {
      capacity = nested.capacity
      pool = nil
      return
    }
    guard getenv(WorkerHook.variable) == nil else {
      throw ApusError(
        .job, "this process was started as a worker, but tries to start workers itself",
        hint: "call WorkerHook.runIfWorker first of all in the program's main")
    }
    capacity = try Capacity(workers: workers, threadsPerWorker: threadsPerWorker, budget: .current)
    let path = executable ?? Executable.ownPath
    let handshake = Handshake(
      version: WorkerProtocol.version, executable: try Executable.digest(of: path),
      wireNames: registry.wireNames, pid: getpid())
    pool = try PoolHandle(
      settings: PoolSettings(
        executable: path, arguments: arguments, environment: ProcessInfo.processInfo.environment,
        handshake: handshake, fingerprint: Executable.fingerprint(of: path), capacity: capacity,
        jobTimeout: jobTimeout, memoryLimit: memoryLimit, crashLimit: crashLimit, onOutput: onOutput))
  }

  /// Writes a line to standard error.
  public static let writeToStandardError: @Sendable (_ line: String) -> Void = { line in
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Places data in memory that all workers map, once per digest.
  ///
  /// - Throws: ``ApusError`` of kind `file` when there is no room for it.
  public func put<Value: SharedData>(_ data: Value) async throws -> DataReference<Value> {
    guard let pool else { return await nested.put(data) }
    let digest = data.digest
    if let path = try placed.put(digest, { data.layout() }) { pool.send(.place(digest, path: path)) }
    return DataReference(digest: digest)
  }

  /// Lets go of data that was put before, once.
  public func remove(_ digest: Digest) async {
    guard let pool else { return await nested.remove(digest) }
    if placed.remove(digest) { pool.send(.drop(digest)) }
  }

  /// Runs jobs and streams their results in completion order.
  ///
  /// Jobs of a type that the registry does not know all fail as `notRegistered`, before anything is sent.
  public func run<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, options: RunOptions
  ) -> JobResults<Jobs.Element.Output> where Jobs.Element: Job {
    guard let pool else { return nested.run(jobs, options: options) }
    let unregistered = registry.failureUnlessRegistered(Jobs.Element.self)
    return JobResults {
      let run = ServedRun(jobs, options: options, server: pool, slots: capacity.slots)
      if let unregistered { run.fail(unregistered) }
      return JobResults.Iterator(nextBatch: { await run.nextBatch() }, cancel: { run.stop() })
    }
  }

  /// Ends all workers and waits until they are gone; later runs end without results.
  public func close() async { await pool?.close() }
}
