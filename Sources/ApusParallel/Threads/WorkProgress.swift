import Synchronization

/// How far a computation has come, told by the computation and asked by whoever waits for it.
///
/// ```swift
/// let progress = WorkProgress()
/// let fitting = Task { try forest.fit(data, FitContext(compute: .allCPUs.reporting(to: progress))) }
/// print(progress.stage?.description ?? "not begun")  // 137 of 500 trees
/// let model = try await fitting.value
/// ```
public final class WorkProgress: Sendable {
  /// A stretch of work that is done in steps of about equal length.
  public struct Stage: Sendable, Hashable, CustomStringConvertible {
    /// What the steps are, in the plural: `trees`.
    public var steps: String
    /// The steps that are done.
    public var done: Int
    /// The steps there will be; nil where the work ends when it has converged.
    public var total: Int?

    /// A stage that has come so far.
    public init(steps: String, done: Int, total: Int?) {
      self.steps = steps
      self.done = done
      self.total = total
    }

    /// `137 of 500 trees`, or `12 iterations`.
    public var description: String { total.map { "\(done) of \($0) \(steps)" } ?? "\(done) \(steps)" }
  }

  private let state = Mutex<Stage?>(nil)

  /// Progress of work that has not begun.
  public init() {}

  /// What is being done; nil for work that has not begun, or that is not done in steps.
  public var stage: Stage? { state.withLock { $0 } }

  /// Begins a stage.
  ///
  /// - Parameters:
  ///   - steps: what the steps are, in the plural.
  ///   - total: how many there will be; nil where that depends on their outcome.
  public func begin(_ steps: String, of total: Int?) {
    state.withLock { $0 = Stage(steps: steps, done: 0, total: total) }
  }

  /// Notes that a step of the stage is done.
  public func advance() { state.withLock { $0?.done += 1 } }
}
