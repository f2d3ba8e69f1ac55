import Dispatch
import Foundation
import Synchronization

/// Shows how work proceeds on the standard error: a live bar on a terminal, a line now and then elsewhere,
/// nothing with `--quiet`.
final class ProgressDisplay: Sendable {
  /// Seconds between two lines of a log.
  static let logInterval = 5.0
  /// Seconds between two drawings of the bar; the first comes after as long, so quick work shows none.
  static let drawInterval = 0.2

  private let start = DispatchTime.now()
  private let state: Mutex<ProgressState>
  private let lastLog = Mutex(0.0)
  private let ticking = Mutex<Task<Void, Never>?>(nil)
  private let cluster: @Sendable () -> String?
  private let isLive = Terminal.standardError.canRewriteLines

  /// Starts to show progress.
  ///
  /// - Parameter cluster: says how the cluster is, whenever progress is shown.
  init(total: Int, cluster: @escaping @Sendable () -> String? = { nil }) {
    self.cluster = cluster
    state = Mutex(ProgressState(total: total))
    guard !Report.isQuiet else { return }
    let ticks = Task.detached { [weak self] in
      while (try? await Task.sleep(for: .seconds(Self.drawInterval))) != nil, let self { self.tick() }
    }
    ticking.withLock { $0 = ticks }
  }

  /// Takes over what has changed.
  func update(_ change: (inout ProgressState) -> Void) { state.withLock { change(&$0) } }

  /// Stops showing progress and takes the bar away; a log gets its last line.
  func finish() {
    let ticks = ticking.withLock { ticking in
      defer { ticking = nil }
      return ticking
    }
    guard let ticks else { return }
    ticks.cancel()
    if isLive { Report.live("") } else { Report.line(ProgressLine.sentence(current)) }
  }

  private var current: ProgressState {
    var state = state.withLock { $0 }
    state.elapsed = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    state.cluster = cluster()
    return state
  }

  private func tick() {
    let state = current
    if isLive {
      // One column stays free, because a full line makes some terminals scroll.
      let width = (Terminal.standardError.width ?? 80) - 1
      // Drawn under the lock that `finish` takes, so that no bar comes after the last line.
      ticking.withLock { ticking in
        if ticking != nil { Report.live(ProgressLine.bar(state, width: min(width, 100))) }
      }
      return
    }
    let isDue = lastLog.withLock { last in
      guard state.elapsed - last >= Self.logInterval else { return false }
      last = state.elapsed
      return true
    }
    if isDue { Report.line(ProgressLine.sentence(state)) }
  }
}
