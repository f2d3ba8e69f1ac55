/// How a cluster is, as far as its client knows.
public struct ClusterStatus: Sendable, Hashable {
  /// Threads of each Dask worker that has what jobs need, by its address; each thread runs one job at a time. No more
  /// than the worker has room for, by its resources.
  public var workers: [String: Int] = [:]
  /// The address of Dask's dashboard; nil when the scheduler has none.
  public var dashboard: String?
  /// The version of Dask in the client's bridge.
  public var daskVersion = ""
  /// Batches of jobs that are at the cluster.
  public var batches = 0
  /// Batches that ran, or were to run, and were sent again, by the scheduler or by this client: because a worker or the
  /// scheduler was lost, or could not run them.
  public var retries = 0
  /// Whether the scheduler answers.
  public var isConnected = true
  /// Jobs that came back.
  public var finishedJobs = 0

  /// Jobs that can run at once.
  public var slots: Int { workers.values.reduce(0, +) }
}

/// What a client of a cluster tells about it while it works.
public enum ClusterEvent: Sendable {
  /// The cluster's state, about once a second.
  case status(ClusterStatus)
  /// Something went wrong that does not end the work.
  case trouble(String)
}
