import Synchronization

/// A flag that asks running work to stop; raised once, seen by everyone who holds it.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  /// A flag that nobody has raised yet.
  public init() {}

  /// Whether the work should stop.
  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  /// Asks the work to stop; further calls change nothing.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Throws when the work should stop; called by long loops between their steps.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public func check() throws {
    if isCancelled { throw ApusError(.cancelled, "the work was cancelled") }
  }
}
