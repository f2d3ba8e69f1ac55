/// How a client works with a cluster.
public struct ClusterSettings: Sendable {
  /// Threads that each job may use; 1 unless given, since Dask counts a job as one of a worker's threads.
  public var threadsPerJob = 1
  /// Seconds after which a job counts as hung and is stopped with its worker process; nil for never.
  public var jobTimeout: Double?
  /// Bytes of private memory beyond which a worker process is replaced between two batches; one that grows to
  /// twice as much is stopped with its job. Nil for no limit.
  public var memoryLimit: Int?
  /// How many worker processes a job may crash before it is recorded as failed and not tried again.
  public var crashLimit = 2
  /// Seconds to wait for a scheduler that does not answer when the client starts.
  public var connectTimeout = 10.0
  /// Seconds to wait while the cluster has no worker that jobs can run on, or no scheduler, before all jobs fail; nil
  /// for ever.
  public var absenceTimeout: Double? = 300
  /// What each job needs of Dask's abstract resources, such as `["GPU": 1]`.
  public var resources: [String: Double] = [:]
  /// Jobs of higher priority go before those of other clients.
  public var priority = 0
  /// The largest limit of slots.
  static let mostSlots = 1_000_000

  /// The most batches of jobs that this client has at the cluster, so the most jobs that run at once; nil for as many
  /// as the cluster can, else at most a million.
  public var slotLimit: Int?
  /// Where workers load data from by themselves, instead of getting it from this program: the whole path of a folder
  /// that all hosts share, or an address of `file`, `http`, `https`, `s3`, `gs` or whatever else fsspec knows.
  ///
  /// Files there are named by the SHA-256 of their bytes, which is checked on each host. What is not there yet is
  /// written there, except to a web server. Credentials are those of each machine's own environment.
  public var dataStore: String?
  /// The Python interpreter that has Dask; the environment's `APUS_PYTHON`, or `python3`, unless given.
  public var python: String?
  /// The files for TLS; nil for a scheduler that does not use it.
  public var security: ClusterSecurity?

  /// The defaults.
  public init() {}
}

extension ClusterSettings {
  /// What jobs run on: `worker`, or `worker with GPU=1`.
  var wantedWorker: String {
    let needs = resources.sorted { $0.key < $1.key }.map { name, amount in
      "\(name)=\(Int(exactly: amount).map { "\($0)" } ?? "\(amount)")"
    }
    return needs.isEmpty ? "worker" : "worker with \(needs.joined(separator: ", "))"
  }
}
