import Synchronization

/// Shows how many fits are done on the standard error: a live bar on a terminal, a line now and then elsewhere,
/// nothing with `--quiet`.
final class ProgressDisplay: Sendable {
  private let state: SharedState
  private let words: LiveText

  /// What the drawing of the bar and those who change it share.
  private final class SharedState: Sendable {
    let value: Mutex<ProgressState>
    let cluster: @Sendable () -> String?

    init(_ value: ProgressState, _ cluster: @escaping @Sendable () -> String?) {
      self.value = Mutex(value)
      self.cluster = cluster
    }

    func current(_ elapsed: Double) -> ProgressState {
      var state = value.withLock { $0 }
      state.elapsed = elapsed
      state.cluster = cluster()
      return state
    }
  }

  /// Starts to show progress.
  ///
  /// - Parameter cluster: says how the cluster is, whenever progress is shown.
  init(total: Int, cluster: @escaping @Sendable () -> String? = { nil }) {
    let state = SharedState(ProgressState(total: total), cluster)
    self.state = state
    words = LiveText { elapsed, width in
      let current = state.current(elapsed)
      return width.map { ProgressLine.bar(current, width: min($0, 100)) } ?? ProgressLine.sentence(current)
    }
  }

  /// Takes over what has changed.
  func update(_ change: (inout ProgressState) -> Void) { state.value.withLock { change(&$0) } }

  /// Stops showing progress and takes the bar away; a log gets its last line.
  func finish() {
    guard words.finish(), !words.isOnTerminal else { return }
    update { $0.hasEnded = true }
    Report.line(ProgressLine.sentence(state.current(words.elapsed)))
  }
}
