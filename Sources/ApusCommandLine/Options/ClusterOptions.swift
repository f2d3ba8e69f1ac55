import Apus
import ArgumentParser
import Foundation
import Synchronization

/// Which cluster fits run on with `--backend dask`, and how this program proves who it is.
struct ClusterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The scheduler: tcp://host:8786 or tls://host:8786; else $APUS_SCHEDULER, or that of 'apus cluster up'.",
      valueName: "address"))
  var scheduler: String?

  @Option(
    help: ArgumentHelp(
      "The folder of 'apus cluster certs', for a scheduler that uses TLS; else $APUS_CERTIFICATES.",
      valueName: "folder"),
    completion: .directory)
  var certificates: String?

  @Option(
    help: ArgumentHelp("Give up when the cluster has had no worker for this long; 300.", valueName: "seconds")
  )
  var absence: Double?

  @Option(
    help: ArgumentHelp(
      "Give up when the scheduler does not answer for this long at the start; 10.", valueName: "seconds"))
  var connectTimeout: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Fits of higher priority go before those of other programs; 0.", valueName: "number"))
  var priority: Int?

  @Option(
    help: ArgumentHelp(
      "What each fit needs of the workers' resources; may be given again.", valueName: "name=n"))
  var needs: [String] = []

  @Option(
    help: ArgumentHelp(
      "Let workers load data from here: a folder they share, or s3://, gs://, http(s)://.", valueName: "place"
    ))
  var dataStore: String?

  /// Refuses options that mean nothing on this machine alone.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func refuseWithoutCluster() throws {
    let isUsed =
      scheduler != nil || certificates != nil || absence != nil || connectTimeout != nil || priority != nil
      || !needs.isEmpty || dataStore != nil
    guard isUsed else { return }
    throw ApusError(
      .invalidParameter, "the cluster options are for --backend dask", hint: "add --backend dask")
  }

  /// Whether a scheduler is reached over a network without TLS.
  private static func isUnprotected(_ address: String) throws -> Bool {
    let place = try SchedulerAddress(address)
    return !place.usesTLS && !place.isLoopback
  }

  /// Connects to the cluster.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`, or of kind `job` when it does not answer.
  func connect(slotLimit: Int?, jobTimeout: Double?, memoryLimit: Int?) async throws -> DaskBackend {
    var settings = ClusterSettings()
    settings.slotLimit = slotLimit
    settings.jobTimeout = jobTimeout
    settings.memoryLimit = memoryLimit
    settings.priority = priority ?? 0
    settings.absenceTimeout = absence ?? settings.absenceTimeout
    settings.connectTimeout = connectTimeout ?? settings.connectTimeout
    // Containers are told of their cluster by the environment.
    let environment = ProcessInfo.processInfo.environment
    let address = try scheduler ?? environment["APUS_SCHEDULER"] ?? LocalCluster.running().address
    if try Self.isUnprotected(address) {
      Report.note(
        "\(address) is used without TLS: who can reach it, or answers in its place, can run programs on the "
          + "cluster and on this machine; 'apus cluster certs' makes certificates for tls://")
    }
    let folder = certificates ?? (address.hasPrefix("tls:") ? environment["APUS_CERTIFICATES"] : nil)
    settings.security = folder.map { ClusterCertificates(folder: $0).security }
    settings.dataStore = dataStore
    for text in needs {
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let amount = Double(parts[1]), amount > 0 else {
        throw ApusError(
          .invalidParameter, "--needs \(text) is not a name and a number", hint: "write GPU=1")
      }
      settings.resources[String(parts[0])] = amount
    }
    let log = ClusterLog()
    let backend = try await DaskBackend(
      address, registry: .modelSelection, settings: settings, onEvent: { log.note($0) })
    log.note(.status(backend.status))
    return backend
  }
}

/// Tells a person what changes on a cluster.
private final class ClusterLog: Sendable {
  private let last = Mutex<(workers: Int, retries: Int)?>(nil)

  func note(_ event: ClusterEvent) {
    switch event {
    case .trouble(let message): Report.line("Cluster: \(message)")
    case .status(let status):
      let now = (workers: status.workers.count, retries: status.retries)
      let before = last.withLock { last in
        defer { last = now }
        return last
      }
      guard before == nil || before! != now else { return }
      var text = "Cluster: \(now.workers) worker\(now.workers == 1 ? "" : "s"), \(status.slots) slots"
      if now.retries > 0 { text += ", \(now.retries) batches sent again" }
      if before == nil, let dashboard = status.dashboard { text += ", dashboard at \(dashboard)" }
      Report.note(text)
    }
  }
}
