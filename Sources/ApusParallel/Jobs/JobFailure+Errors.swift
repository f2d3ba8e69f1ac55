extension JobFailure {
  /// The failure of a job that threw.
  ///
  /// An error that says "cancelled" is taken at its word only where the job had been asked to stop.
  package static func thrown(_ error: any Error, by job: String, worker: String, cancelled: Bool)
    -> JobFailure
  {
    let stopped = error is CancellationError || (error as? ApusError)?.kind == .cancelled
    return JobFailure(
      reason: cancelled && stopped ? .cancelled : .threw, message: "\(error)", job: job, worker: worker)
  }

  /// The failure of a job that was not started because its run was cancelled.
  package static func notStarted(_ job: String) -> JobFailure {
    JobFailure(reason: .cancelled, message: "the run was cancelled before the job was started", job: job)
  }
}
