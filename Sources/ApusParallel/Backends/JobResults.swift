/// The results of a run, in completion order: an asynchronous sequence that never throws.
///
/// Letting go of the iterator, or cancelling the task that waits in it, cancels the run.
public struct JobResults<Output: Sendable>: AsyncSequence, Sendable {
  /// A result with its job's index.
  public typealias Element = JobResult<Output>
  /// A run does not fail as a whole; each job does.
  public typealias Failure = Never

  private let start: @Sendable () -> Iterator

  /// Creates results from a function that starts the run; called by backends.
  ///
  /// - Parameter start: starts the run and returns its iterator; called once for each iteration.
  public init(start: @escaping @Sendable () -> Iterator) { self.start = start }

  /// Starts the run.
  public func makeAsyncIterator() -> Iterator { start() }

  /// Reads the results of one run.
  public struct Iterator: AsyncIteratorProtocol {
    private let pull: () async -> Element?
    private let guardian: RunGuardian

    /// Creates an iterator; called by backends.
    ///
    /// - Parameters:
    ///   - next: waits for the next result; nil after the last one.
    ///   - cancel: ends the run early; called when the iterator is let go.
    public init(next: @escaping () async -> Element?, cancel: @escaping @Sendable () -> Void) {
      pull = next
      guardian = RunGuardian(cancel: cancel)
    }

    /// The next result, or nil after the last one.
    public mutating func next() async -> Element? { await pull() }
  }
}

/// Cancels a run when its iterator is let go.
private final class RunGuardian: Sendable {
  private let cancel: @Sendable () -> Void
  init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }
  deinit { cancel() }
}
