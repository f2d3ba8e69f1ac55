import Dispatch
import Synchronization

/// Words on the standard error that change while something is under way: the last line of a terminal, drawn anew a
/// few times a second, or a line of a log now and then; nothing with `--quiet`.
final class LiveText: Sendable {
  /// Seconds between two lines of a log.
  static let logInterval = 5.0
  /// Seconds between two drawings; the first comes after as long, so quick work shows none.
  static let drawInterval = 0.2

  private let start = DispatchTime.now()
  private let text: @Sendable (_ elapsed: Double, _ width: Int?) -> String
  /// Whether the words are on a terminal's last line.
  let isOnTerminal = Terminal.standardError.canRewriteLines
  private let state = Mutex(State())

  private struct State {
    var timer: Timer?
    var lastLog = 0.0
  }

  /// Unchecked Sendable: sources of events may be used on any thread.
  private struct Timer: @unchecked Sendable {
    let source: any DispatchSourceTimer
  }

  /// Starts to show words.
  ///
  /// - Parameter text: the words after so many seconds, for a line of a terminal with so many columns, or for a log.
  init(_ text: @escaping @Sendable (_ elapsed: Double, _ width: Int?) -> String) {
    self.text = text
    guard !Report.isQuiet else { return }
    // A timer of its own ticks even while every thread of Swift's pool computes.
    let timer = Timer(source: DispatchSource.makeTimerSource(queue: DispatchQueue(label: "apus.progress")))
    timer.source.schedule(deadline: .now() + Self.drawInterval, repeating: Self.drawInterval)
    timer.source.setEventHandler { [weak self] in self?.tick() }
    state.withLock { $0.timer = timer }
    timer.source.resume()
  }

  /// The seconds since the words were first to be shown.
  var elapsed: Double { Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9 }

  /// Takes the words away; false when that was done before, or nothing was to be shown.
  @discardableResult func finish() -> Bool {
    let timer = state.withLock { state in
      defer { state.timer = nil }
      return state.timer
    }
    guard let timer else { return false }
    timer.source.cancel()
    if isOnTerminal { Report.live("") }
    return true
  }

  private func tick() {
    let elapsed = elapsed
    let width = isOnTerminal ? (Terminal.standardError.width ?? 80) - 1 : nil
    // One column stays free, because a full line makes some terminals scroll.
    let words = text(elapsed, width)
    // Drawn under the lock that `finish` takes, so that nothing comes after the last line.
    state.withLock { state in
      guard state.timer != nil else { return }
      if isOnTerminal {
        Report.live(words)
      } else if elapsed - state.lastLog >= Self.logInterval {
        state.lastLog = elapsed
        Report.line(words)
      }
    }
  }
}
