/// Runs jobs one after another in the task that reads the results: a plain loop, for debugging and as the
/// measure of every other backend.
///
/// ```swift
/// for await result in SequentialBackend().run(jobs) { print(result.index) }
/// ```
///
/// A job runs inside the reader's call of `next()`; so nothing runs ahead, and results come in the jobs' order.
public struct SequentialBackend: ParallelBackend {
  /// `sequential`.
  public let name = "sequential"
  /// One slot, with the threads that its jobs may use.
  public let capacity: Capacity
  private let store = LocalDataStore()

  /// Creates a backend.
  ///
  /// - Parameter threads: threads that each job may use; 1 unless given.
  public init(threads: Int = 1) { capacity = Capacity(slots: 1, threadsPerSlot: max(1, threads)) }

  /// Keeps a value for the jobs of this backend, by its digest; nothing is copied.
  public func put<Value: SharedData>(_ data: Value) async -> DataReference<Value> { store.put(data) }

  /// Lets go of data that was put before.
  public func remove(_ digest: Digest) async { store.remove(digest) }

  /// Runs jobs and streams their results, in order.
  public func run<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, options: RunOptions
  ) -> JobResults<Jobs.Element.Output> where Jobs.Element: Job {
    JobResults {
      SequentialRun(
        jobs, work: WorkItem(seed: options.seed, store: store),
        threads: capacity.withinCurrentShare.threadsPerSlot, cancellation: options.cancellation
      ).iterator
    }
  }
}
