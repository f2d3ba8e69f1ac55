/// Runs jobs somewhere (the calling thread, threads, processes, a cluster) and streams what became of them.
///
/// The contract that every backend keeps:
/// - outcomes arrive in completion order, each with its job's index, every index once;
/// - jobs are taken from their sequence a bounded number ahead of the outcomes that were read, so a lazy
///   sequence of a million jobs is never in memory at once;
/// - a job that fails is an outcome, and no other job is touched by it;
/// - ending the iteration, or cancelling the task that iterates, cancels what has not finished;
/// - the same jobs give the same outputs, to the bit, on every backend and at every capacity.
public protocol ParallelBackend: Sendable {
  /// The backend's name on the command line and in results: `threads`, `sequential`, …
  var name: String { get }

  /// How many jobs run at once, with how many threads each.
  var capacity: Capacity { get }

  /// Places data where the jobs run, once, and returns the reference that jobs carry.
  ///
  /// - Throws: ``ApusError`` when the data cannot be placed.
  func put<Value: SharedData>(_ data: Value) async throws -> DataReference<Value>

  /// Lets go of data that was put before; unknown digests are ignored.
  func remove(_ digest: Digest) async

  /// Runs jobs and streams their results.
  func run<Jobs: Sequence & Sendable>(_ jobs: Jobs, options: RunOptions) -> JobResults<Jobs.Element.Output>
  where Jobs.Element: Job
}

extension ParallelBackend {
  /// Runs jobs with the default options and streams their results.
  public func run<Jobs: Sequence & Sendable>(_ jobs: Jobs) -> JobResults<Jobs.Element.Output>
  where Jobs.Element: Job {
    run(jobs, options: RunOptions())
  }
}

/// How many jobs a backend runs at once, and how many threads each of them may use.
///
/// `slots × threadsPerSlot` never exceeds the CPUs this process may use (see ``CPUBudget``) unless the user
/// asked for more slots than that.
public struct Capacity: Hashable, Sendable, Codable {
  /// Jobs that run at the same time.
  public var slots: Int
  /// Threads that each job may keep busy.
  public var threadsPerSlot: Int

  /// Creates a capacity.
  public init(slots: Int, threadsPerSlot: Int = 1) {
    self.slots = slots
    self.threadsPerSlot = threadsPerSlot
  }
}

/// Choices for one run of jobs.
public struct RunOptions: Sendable {
  /// The seed from which each job's own is derived, with its index.
  public var seed: Seed
  /// How many jobs may be started or finished ahead of the outcomes that were read; nil lets the backend
  /// choose a small multiple of its slots.
  public var lookAhead: Int?
  /// Raised to end the run: jobs not started become `cancelled`, running ones are asked to stop.
  public var cancellation: Cancellation

  /// Creates options.
  public init(seed: Seed = Seed(0), lookAhead: Int? = nil, cancellation: Cancellation = Cancellation()) {
    self.seed = seed
    self.lookAhead = lookAhead
    self.cancellation = cancellation
  }
}
