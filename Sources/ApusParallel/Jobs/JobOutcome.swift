/// A job's result with its place in the run; runs deliver these in completion order.
public struct JobResult<Output: Sendable>: Sendable {
  /// The job's index in the sequence that was given to the run.
  public let index: Int
  /// What became of the job.
  public let outcome: JobOutcome<Output>

  /// Creates a result; called by backends.
  public init(index: Int, outcome: JobOutcome<Output>) {
    self.index = index
    self.outcome = outcome
  }
}

/// What became of a job: its output, or the reason why there is none.
public enum JobOutcome<Output: Sendable>: Sendable {
  /// The job ran to its end.
  case success(Output, JobExecution)
  /// The job has no output; other jobs are not touched by it.
  case failure(JobFailure)

  /// The output, or the failure thrown as an error.
  ///
  /// - Throws: ``JobFailure``.
  public func get() throws(JobFailure) -> Output {
    switch self {
    case .success(let output, _): return output
    case .failure(let failure): throw failure
    }
  }
}

/// Where a job ran and how long it took.
public struct JobExecution: Sendable, Hashable, Codable {
  /// Wall-clock time of the job alone, in seconds.
  public var wallSeconds: Double
  /// CPU time of the thread that ran the job, in seconds.
  public var cpuSeconds: Double
  /// The worker: `thread 3`, `pid 4711`, `10.0.0.7 pid 12`.
  public var worker: String

  /// Creates a record of an execution.
  public init(wallSeconds: Double, cpuSeconds: Double, worker: String) {
    self.wallSeconds = wallSeconds
    self.cpuSeconds = cpuSeconds
    self.worker = worker
  }
}

/// Why a job has no output.
public struct JobFailure: Error, Sendable, Hashable, Codable {
  /// The sort of failure.
  public enum Reason: String, Sendable, Hashable, Codable, CaseIterable {
    /// The job threw an error.
    case threw
    /// The job stopped its worker: a trap, a signal, an exit.
    case trapped
    /// The host or worker went away, through no fault of the job as far as is known.
    case lost
    /// The worker was killed for want of memory.
    case outOfMemory
    /// The job took longer than it may.
    case timedOut
    /// The run was ended before the job was.
    case cancelled
    /// The job's type is not registered where it should run.
    case notRegistered
  }

  /// The sort of failure.
  public var reason: Reason
  /// What happened, for a person to read.
  public var message: String
  /// The job's label.
  public var job: String
  /// The worker it ran on, where one is known.
  public var worker: String?

  /// Creates a failure.
  public init(reason: Reason, message: String, job: String, worker: String? = nil) {
    self.reason = reason
    self.message = message
    self.job = job
    self.worker = worker
  }
}

extension JobFailure: CustomStringConvertible {
  /// `job threw on thread 3: message`, with the parts that are known.
  public var description: String {
    "\(job) \(reason.phrase)\(worker.map { " on \($0)" } ?? ""): \(message)"
  }
}

extension JobFailure.Reason {
  fileprivate var phrase: String {
    switch self {
    case .threw: "failed"
    case .trapped: "crashed"
    case .lost: "was lost"
    case .outOfMemory: "ran out of memory"
    case .timedOut: "timed out"
    case .cancelled: "was cancelled"
    case .notRegistered: "is not registered"
    }
  }
}
