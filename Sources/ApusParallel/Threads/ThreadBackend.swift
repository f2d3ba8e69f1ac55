/// Runs jobs on threads of this process.
///
/// The threads are dedicated ones, not those of Swift's cooperative pool, so long computations never delay
/// other tasks of the program. They are named `apus-worker-0`, `apus-worker-1`, … and kept between runs.
///
/// ```swift
/// let backend = try ThreadBackend()            // every CPU of the budget, one thread a job
/// for await result in backend.run((1...1000).map { Square(number: $0) }) {
///   print(result.index, try result.outcome.get())
/// }
/// ```
///
/// Inside a job of any backend, a thread backend keeps within that job's threads: with one thread, jobs run
/// one after another in the calling task.
public struct ThreadBackend: ParallelBackend {
  /// `threads`.
  public let name = "threads"
  /// How many jobs run at once, with how many threads each.
  public let capacity: Capacity
  private let pool: SlotPool
  private let store = LocalDataStore()

  /// Creates a backend; its threads are started when jobs come.
  ///
  /// - Parameters:
  ///   - workers: how many jobs run at once, counted as joblib counts: 1 is a plain loop in the calling task,
  ///     -1 (the default) all CPUs of the budget, -2 all but one.
  ///   - threadsPerWorker: threads that each job may use; unless given, what the budget leaves to each worker,
  ///     at least 1.
  /// - Throws: ``ApusError`` of kind `invalidParameter` for 0 workers, less than one thread, or more than 8,192 of
  ///   either.
  public init(workers: Int = -1, threadsPerWorker: Int? = nil) throws {
    capacity = try Capacity(workers: workers, threadsPerWorker: threadsPerWorker, budget: .current)
    pool = SlotPool(slots: capacity.slots)
  }

  /// Keeps a value for the jobs of this backend, by its digest; nothing is copied.
  public func put<Value: SharedData>(_ data: Value) async -> DataReference<Value> { store.put(data) }

  /// Lets go of data that was put before.
  public func remove(_ digest: Digest) async { store.remove(digest) }

  /// Runs jobs and streams their results in completion order.
  public func run<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, options: RunOptions
  ) -> JobResults<Jobs.Element.Output> where Jobs.Element: Job {
    run(
      jobs, work: WorkItem(seed: options.seed, store: store), lookAhead: options.lookAhead,
      cancellation: options.cancellation)
  }

  /// Runs any items, jobs or not, and streams their results.
  func run<Items: Sequence & Sendable, Output: Sendable>(
    _ items: Items, work: WorkItem<Items.Element, Output>, lookAhead: Int?, cancellation: Cancellation
  ) -> JobResults<Output> where Items.Element: Sendable {
    JobResults {
      let here = capacity.withinCurrentShare
      guard here.slots > 1 else {
        return SequentialRun(
          items, work: work, threads: here.threadsPerSlot, cancellation: cancellation
        ).iterator
      }
      let run = threadRun(
        items, work: work, capacity: here, lookAhead: lookAhead, cancellation: cancellation)
      return JobResults.Iterator(nextBatch: { await run.nextBatch() }, cancel: { run.stop() })
    }
  }

  /// Prepares a run on as many slots as there are here.
  func threadRun<Items: Sequence & Sendable, Output: Sendable>(
    _ items: Items, work: WorkItem<Items.Element, Output>, capacity here: Capacity, lookAhead: Int?,
    cancellation: Cancellation
  ) -> ThreadRun<Items, Output> where Items.Element: Sendable {
    // Inside a job, the pool's own slots may all be held by those who wait for this run.
    ThreadRun(
      items, work: work, pool: CPUShare.current == nil ? pool : SlotPool(slots: here.slots),
      threadsPerSlot: here.threadsPerSlot, lookAhead: lookAhead, cancellation: cancellation)
  }
}
