extension ParallelBackend {
  /// Runs jobs and waits for all outputs, in the jobs' order.
  ///
  /// ```swift
  /// let squares = try await ThreadBackend().outputs(of: (1...9).map { Square(number: $0) })
  /// ```
  ///
  /// - Throws: the first ``JobFailure`` to come, after which what has not finished is cancelled; ``ApusError``
  ///   of kind `cancelled` when the calling task is cancelled.
  public func outputs<Jobs: Sequence & Sendable>(
    of jobs: Jobs, options: RunOptions = RunOptions()
  ) async throws -> [Jobs.Element.Output] where Jobs.Element: Job {
    var outputs: [Jobs.Element.Output?] = []
    for await result in run(jobs, options: options) {
      outputs.place(try result.outcome.get(), at: result.index)
    }
    try Self.checkNotCancelled()
    return outputs.compactMap { $0 }
  }

  /// Runs jobs and waits until something became of each of them, in the jobs' order.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled` when the calling task is cancelled.
  public func outcomes<Jobs: Sequence & Sendable>(
    of jobs: Jobs, options: RunOptions = RunOptions()
  ) async throws -> [JobOutcome<Jobs.Element.Output>] where Jobs.Element: Job {
    var outcomes: [JobOutcome<Jobs.Element.Output>?] = []
    for await result in run(jobs, options: options) {
      outcomes.place(result.outcome, at: result.index)
    }
    try Self.checkNotCancelled()
    return outcomes.compactMap { $0 }
  }

  // A cancelled task sees its results end early.
  private static func checkNotCancelled() throws {
    if Task.isCancelled { throw ApusError(.cancelled, "the run was cancelled") }
  }
}

extension Array {
  /// Writes an element to a place that may lie behind the end.
  fileprivate mutating func place<Wrapped>(_ value: Wrapped, at index: Int) where Element == Wrapped? {
    while count <= index { append(nil) }
    self[index] = value
  }
}
