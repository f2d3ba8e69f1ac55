import Synchronization

/// A flag that asks running work to stop; raised once, seen by everyone who holds it.
///
/// A flag may have a parent: a backend gives each run a child of the caller's flag, so that the caller stops
/// every run at once, and ending one run does not touch the others.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)
  private let parent: Cancellation?

  /// A flag that nobody has raised yet.
  ///
  /// - Parameter parent: a flag that, once raised, counts as raised here too.
  public init(parent: Cancellation? = nil) { self.parent = parent }

  /// Whether the work should stop.
  public var isCancelled: Bool { flag.load(ordering: .relaxed) || (parent?.isCancelled ?? false) }

  /// Asks the work to stop; further calls change nothing.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Throws when the work should stop; called by long loops between their steps.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`.
  public func check() throws {
    if isCancelled { throw ApusError(.cancelled, "the work was cancelled") }
  }
}
