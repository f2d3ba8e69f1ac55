/// The results of a run, in completion order: an asynchronous sequence that never throws.
///
/// Letting go of the iterator, or cancelling the task that waits in it, cancels the run; a cancelled task sees
/// the sequence end early.
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
    @usableFromInline let pull: @Sendable () async -> [Element]?
    @usableFromInline let step: (@Sendable () -> Element?)?
    @usableFromInline let guardian: RunGuardian
    @usableFromInline var batch: [Element] = []
    @usableFromInline var position = 0

    /// Creates an iterator over results that are handed over several at a time; called by backends.
    ///
    /// - Parameters:
    ///   - nextBatch: waits for results that have not been delivered; nil after the last one. Asking again
    ///     means that those handed over before were read.
    ///   - cancel: ends the run early; called when the iterator is let go.
    public init(
      nextBatch: @escaping @Sendable () async -> [Element]?, cancel: @escaping @Sendable () -> Void
    ) {
      pull = nextBatch
      step = nil
      guardian = RunGuardian(cancel: cancel)
    }

    /// Creates an iterator whose every step does the work of one job in the reader's own task and thread;
    /// called by backends that are plain loops.
    ///
    /// - Parameters:
    ///   - step: does the work of the next job; nil after the last one.
    ///   - cancel: asks the running step to stop; called when the reading task is cancelled or the iterator is
    ///     let go.
    public init(step: @escaping @Sendable () -> Element?, cancel: @escaping @Sendable () -> Void) {
      pull = { nil }
      self.step = step
      guardian = RunGuardian(cancel: cancel)
    }

    /// Creates an iterator over results that are handed over one at a time; called by backends.
    ///
    /// - Parameters:
    ///   - next: waits for the next result; nil after the last one.
    ///   - cancel: ends the run early; called when the iterator is let go.
    public init(next: @escaping @Sendable () async -> Element?, cancel: @escaping @Sendable () -> Void) {
      self.init(nextBatch: { await next().map { [$0] } }, cancel: cancel)
    }

    /// The next result, or nil after the last one.
    @inlinable
    public mutating func next() async -> Element? { await next(isolation: nil) }

    /// The next result, or nil after the last one; read without leaving the caller's actor where it is there
    /// already.
    @inlinable
    public mutating func next(isolation actor: isolated (any Actor)?) async -> Element? {
      if let step {
        let guardian = guardian
        return await withTaskCancellationHandler {
          // A closure runs on the actor only if it captures it.
          _ = actor
          return Task.isCancelled ? nil : step()
        } onCancel: {
          guardian.cancel()
        }
      }
      while position == batch.count {
        guard let pulled = await pull() else { return nil }
        batch = pulled
        position = 0
      }
      defer { position += 1 }
      return batch[position]
    }
  }
}

/// Cancels a run when its iterator is let go.
@usableFromInline
final class RunGuardian: Sendable {
  @usableFromInline let cancel: @Sendable () -> Void
  init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }
  deinit { cancel() }
}
