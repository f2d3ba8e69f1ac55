/// What a job finds around it while it runs: its seed, its share of the CPUs, and the data placed for it.
public struct JobContext: Sendable {
  /// The job's index in the run that it belongs to.
  public let index: Int
  /// The seed of this job: the run's seed and the job's index, hashed.
  public let seed: Seed
  /// The threads the job may use, and the flag that asks it to stop.
  public let compute: ComputeContext
  private let store: any SharedDataStore

  /// Creates a context; called by backends.
  public init(index: Int, seed: Seed, compute: ComputeContext, store: any SharedDataStore) {
    self.index = index
    self.seed = seed
    self.compute = compute
    self.store = store
  }

  /// The data that a reference names.
  ///
  /// - Throws: ``ApusError`` of kind `job` when nothing with that digest was put on this backend.
  public func resolve<Value: SharedData>(_ reference: DataReference<Value>) throws -> Value {
    try store.value(for: reference)
  }
}

/// Where a backend keeps the data that was put on it, seen from a job.
public protocol SharedDataStore: Sendable {
  /// The data that a reference names.
  ///
  /// - Throws: ``ApusError`` of kind `job` when there is none.
  func value<Value: SharedData>(for reference: DataReference<Value>) throws -> Value
}
