import ApusParallel
import ApusProcesses
import Foundation

/// Runs jobs on a Dask cluster: an ordinary scheduler with ordinary workers, which places, retries and balances
/// them and shows them on its dashboard.
///
/// ```swift
/// WorkerHook.runIfWorker(registry)
/// let backend = try await DaskBackend("tcp://scheduler:8786", registry: registry)
/// for await result in backend.run(jobs) { print(result.index, result.outcome) }
/// await backend.close()
/// ```
///
/// This machine needs Python with Dask, since only Dask speaks the scheduler's language: a small bridge, part of
/// Apus, runs beside the program. The program itself is sent to each host of the cluster, once, and runs there as
/// a worker under Dask's workers; so jobs of the user's own types run there too.
///
/// A job that crashes its worker process is run again, and recorded as failed the `crashLimit`-th time. When a
/// Dask worker, its host or the scheduler is lost, what had not come back is run again.
public struct DaskBackend: ParallelBackend {
  /// `dask`.
  public let name = "dask"
  private let registry: JobRegistry
  private let service: ClusterService
  private let settings: ClusterSettings
  private let placed = PlacedData()

  /// Connects to a cluster.
  ///
  /// - Parameters:
  ///   - scheduler: the scheduler's address: `tcp://host:8786`, or `tls://…` with ``ClusterSettings/security``.
  ///   - registry: the job types that may run; the program must call ``WorkerHook/runIfWorker(_:)`` with it.
  ///   - settings: limits, and what the client may take of the cluster.
  ///   - executable: the program to run on the workers; the running one unless given.
  ///   - arguments: the arguments of the program there.
  ///   - onEvent: is told how the cluster is, about once a second, and of troubles.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for settings that cannot be, of kind `file` without an
  ///   interpreter, of kind `job` without Dask or when no scheduler answers.
  public init(
    _ scheduler: String, registry: JobRegistry, settings: ClusterSettings = ClusterSettings(),
    executable: String? = nil, arguments: [String] = ["worker"],
    onEvent: @escaping @Sendable (ClusterEvent) -> Void = { _ in }
  ) async throws {
    try settings.validate(scheduler: scheduler)
    self.registry = registry
    self.settings = settings
    let path = executable ?? Executable.ownPath
    let session = BridgeTerms.Session(
      name: String(UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(12)),
      executable: try Executable.digest(of: path), arguments: arguments, wireNames: registry.wireNames,
      threads: settings.threadsPerJob, jobTimeout: settings.jobTimeout, memoryLimit: settings.memoryLimit,
      crashLimit: settings.crashLimit)
    let terms = BridgeTerms(
      scheduler: scheduler, executablePath: path, timeout: settings.connectTimeout,
      tls: settings.security.map { .init(ca: $0.authority, certificate: $0.certificate, key: $0.key) },
      resources: settings.resources, dataStore: settings.dataStore, session: session)
    let python = settings.python ?? ProcessInfo.processInfo.environment["APUS_PYTHON"] ?? "python3"
    service = try await ClusterService(terms, settings: settings, python: python, onEvent: onEvent)
  }

  /// How many jobs run at once now, with how many threads each; at least one slot, since workers may still come.
  public var capacity: Capacity {
    Capacity(
      slots: max(1, min(status.slots, settings.slotLimit ?? .max)), threadsPerSlot: settings.threadsPerJob)
  }

  /// How the cluster was when it was last heard of.
  public var status: ClusterStatus { service.currentStatus }

  /// Brings data to each host of the cluster, once per digest, and waits until one of them has it. The others, and
  /// those that join later, get it from each other, and jobs when they have it.
  ///
  /// - Throws: ``ApusError`` of kind `file` or `job` when there is no room for it, here or there; of kind `cancelled`
  ///   when the task is cancelled, which need not wait for a data store that does not answer.
  public func put<Value: SharedData>(_ data: Value) async throws -> DataReference<Value> {
    let digest = data.digest
    // Whoever puts the same data meanwhile waits for it too.
    guard let path = try placed.put(digest, { data.layout() }) ?? placed.path(of: digest) else {
      throw ApusError(.job, "data was removed while it was put")
    }
    do { try await service.put(digest, path: path) } catch {
      await remove(digest)
      throw error
    }
    return DataReference(digest: digest)
  }

  /// Lets go of data that was put before, once.
  public func remove(_ digest: Digest) async {
    if placed.remove(digest) { service.forget(digest) }
  }

  /// Runs jobs and streams their results in completion order.
  public func run<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, options: RunOptions
  ) -> JobResults<Jobs.Element.Output> where Jobs.Element: Job {
    let unregistered = registry.failureUnlessRegistered(Jobs.Element.self)
    return JobResults {
      let run = ServedRun(jobs, options: options, server: service, slots: 1)
      if let unregistered { run.fail(unregistered) }
      return JobResults.Iterator(nextBatch: { await run.nextBatch() }, cancel: { run.stop() })
    }
  }

  /// Removes everything of this program from the cluster and ends the connection; later runs end without results.
  public func close() async { await service.close() }
}

extension ClusterSettings {
  func validate(scheduler: String) throws {
    func refuse(_ message: String, hint: String? = nil) -> ApusError {
      ApusError(.invalidParameter, message, hint: hint)
    }
    let address = try SchedulerAddress(scheduler)
    if address.usesTLS, security == nil {
      throw refuse(
        "the scheduler \(scheduler) uses TLS, but no certificates are given",
        hint: "give the authority's certificate, and a certificate and key of your own")
    }
    if !address.usesTLS, security != nil {
      throw refuse(
        "certificates are given, but \(scheduler) is an address without TLS",
        hint: "write tls\(scheduler.dropFirst(3)), or leave out the certificates")
    }
    try security?.check()
    if let dataStore, !dataStore.hasPrefix("/"), !dataStore.contains("://") {
      throw refuse(
        "'\(dataStore)' is not a place for data",
        hint: "give a folder's whole path, or an address such as s3://bucket/folder or https://host/folder")
    }
    if let jobTimeout, !(jobTimeout > 0) { throw refuse("a job timeout of \(jobTimeout) s leaves no time") }
    guard crashLimit >= 1 else { throw refuse("a crash limit of \(crashLimit) is less than one crash") }
    guard threadsPerJob >= 1 else { throw refuse("a job needs at least one thread, not \(threadsPerJob)") }
    if let slotLimit, slotLimit < 1 { throw refuse("a limit of \(slotLimit) slots lets no job run") }
    // Windows of jobs are computed from it.
    if let slotLimit, slotLimit > ClusterSettings.mostSlots {
      throw refuse(
        "a limit of \(slotLimit.grouped) slots is more than the \(ClusterSettings.mostSlots.grouped) that a client uses",
        hint: "leave it out to use all that the cluster has")
    }
  }
}
