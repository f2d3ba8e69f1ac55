import Apus
import ArgumentParser
import Foundation

/// `apus cluster up`: starts a scheduler and workers.
struct ClusterUpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Start a scheduler and workers on this machine.",
    discussion: """
      They listen on the loopback address only, and run until 'apus cluster down'.

      EXAMPLES
        apus cluster up --workers 4
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many workers, of one thread each; -1 for one on every CPU.", valueName: "number"))
  var workers = -1

  func run() async throws {
    let count = try ThreadBackend(workers: workers).capacity.slots
    let cluster = try await LocalCluster.start(workers: count, python: LocalCluster.interpreter)
    let status = try await cluster.status(awaiting: count)
    try StandardOutput.write("\(cluster.address)\n")
    let python = LocalCluster.interpreter
    let hasDashboard = LocalCluster.hasDashboard(python: python)
    Report.note(
      "\(status.workers.count) workers of Dask \(status.daskVersion)"
        + (status.dashboard.flatMap { hasDashboard ? "; dashboard at \($0)" : nil } ?? ""))
    if !hasDashboard {
      Report.note("Its dashboard needs Bokeh: \(python) -m pip install 'bokeh>=3.1', and begin it anew")
    }
    Report.note("It has no TLS and listens on 127.0.0.1 only: everybody with an account here can use it")
    Report.note("Use it with --backend dask; end it with 'apus cluster down'")
  }
}

/// `apus cluster status`: what is up.
struct ClusterStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the scheduler and the workers of the local cluster.",
    discussion: """
      EXAMPLES
        apus cluster status
      """)

  func run() async throws {
    let cluster = try LocalCluster.running()
    let status = try await cluster.status(awaiting: 0)
    var lines = ["scheduler  \(cluster.address)  pid \(cluster.scheduler)"]
    if let dashboard = status.dashboard { lines.append("dashboard  \(dashboard)") }
    for (address, threads) in status.workers.sorted(by: { $0.key < $1.key }) {
      lines.append("worker     \(address)  \(threads) thread\(threads == 1 ? "" : "s")")
    }
    try StandardOutput.write(lines.joined(separator: "\n") + "\n")
  }
}

/// `apus cluster logs`: what the cluster has written.
struct ClusterLogsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Print what the scheduler and the workers have written.",
    discussion: """
      EXAMPLES
        apus cluster logs
        apus cluster logs --lines 5
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many of the last lines of each.", valueName: "number"))
  var lines = 20

  func run() async throws {
    for log in try LocalCluster.logs() {
      let text = log.text.split(separator: "\n").suffix(max(0, lines)).joined(separator: "\n")
      try StandardOutput.write("\(log.name)\n\(text)\n")
    }
  }
}

/// `apus cluster down`: ends it.
struct ClusterDownCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down",
    abstract: "End the scheduler and the workers of the local cluster.",
    discussion: """
      EXAMPLES
        apus cluster down
      """)

  func run() async throws { await (try LocalCluster.last()).stop() }
}

/// `apus cluster certs`: certificates for a cluster with TLS.
struct ClusterCertsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certs",
    abstract: "Make certificates for a cluster that speaks TLS.",
    discussion: """
      Makes an authority, and certificates for the scheduler, the workers and the
      clients. Start Dask with --tls-ca-file authority.pem, --tls-cert and --tls-key.

      EXAMPLES
        apus cluster certs team --host 10.0.0.7 --host scheduler.example.org
        apus cluster certs team --renew
      """)

  @Argument(help: "The folder to make, or to renew.", completion: .directory)
  var folder: String

  @Option(help: ArgumentHelp("A name or address of the cluster; may be given again.", valueName: "name"))
  var host: [String] = []

  @Option(help: ArgumentHelp("How long they are valid.", valueName: "days"))
  var days = 365

  @Flag(
    help: """
      Replace the certificates in the folder by new ones of its authority, under the same names; old ones are \
      trusted until they end.
      """)
  var renew = false

  func run() async throws {
    let certificates = ClusterCertificates(folder: folder)
    if renew {
      try certificates.renew(addingHosts: host, days: days)
    } else {
      try certificates.make(hosts: ["127.0.0.1", "localhost"] + host, days: days)
    }
    Report.note(
      "Give clients \(folder)/authority.pem, client.pem and client.key; keep authority.key to yourself")
  }
}

extension LocalCluster {
  /// The Python interpreter for clusters: that of `APUS_PYTHON`, or `python3`.
  static var interpreter: String { ProcessInfo.processInfo.environment["APUS_PYTHON"] ?? "python3" }

  /// How the cluster is, once it has some workers.
  ///
  /// - Throws: ``ApusError`` of kind `job` when it does not answer.
  func status(awaiting count: Int) async throws -> ClusterStatus {
    let backend = try await DaskBackend(address, registry: .modelSelection)
    for _ in 0..<300 where backend.status.workers.count < count {
      try await Task.sleep(for: .milliseconds(100))
    }
    let status = backend.status
    await backend.close()
    return status
  }
}
