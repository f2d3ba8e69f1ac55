/// Progress as text: a bar for terminals, a sentence for logs.
package enum ProgressLine {
  /// A line that is never longer than `width`, with as much of the state as fits.
  ///
  /// What matters least goes first: the cluster, then the rate, then the bar, then the best score, then the time
  /// left.
  package static func bar(_ state: ProgressState, width: Int) -> String {
    let count = "\(state.done)/\(state.total) fits"
    let failed = state.failed > 0 ? "\(state.failed) failed" : nil
    let left = state.secondsLeft.map { "\(Quantities.duration($0)) left" }
    let best = state.best.value.map { "best \(Quantities.score($0))" }
    let rate = state.rate.map { Quantities.rate($0) }
    var parts = [count, rate, left, best, failed, state.cluster]
    func text() -> String { parts.compactMap { $0 }.joined(separator: "  ") }
    let smallestBar = 10
    if text().count + 2 + smallestBar > width { parts[5] = nil }
    if text().count + 2 + smallestBar > width { parts[1] = nil }
    let room = width - text().count - 2
    if room >= smallestBar { return drawn(state.fraction, cells: min(30, room)) + "  " + text() }
    for index in [3, 2, 4] where text().count > width { parts[index] = nil }
    return String(text().prefix(max(0, width)))
  }

  /// A sentence for a log.
  package static func sentence(_ state: ProgressState) -> String {
    var parts = ["\(state.done) of \(state.total) fits (\(Int(state.fraction * 100))%)"]
    if let rate = state.rate { parts.append(Quantities.rate(rate)) }
    if let left = state.secondsLeft, state.done < state.total {
      parts.append("\(Quantities.duration(left)) left")
    }
    if let best = state.best.value { parts.append("best \(Quantities.score(best))") }
    if state.failed > 0 { parts.append("\(state.failed) failed") }
    if let cluster = state.cluster { parts.append(cluster) }
    return parts.joined(separator: ", ")
  }

  private static func drawn(_ fraction: Double, cells: Int) -> String {
    let halves = Int(fraction * Double(2 * cells))
    let full = String(repeating: "━", count: halves / 2)
    let half = halves % 2 == 1 ? "╸" : ""
    return full + half + String(repeating: "─", count: cells - halves / 2 - halves % 2)
  }
}
