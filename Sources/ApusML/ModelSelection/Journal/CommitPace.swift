/// How long finished fits are gathered before they are committed together.
///
/// A commit is synced to the disk, which takes some milliseconds however few fits it holds. So commits follow
/// each other at ``patience`` times what they take, which bounds their share of the time, but soon enough that
/// nobody notices the wait.
package struct CommitPace {
  private static var patience: Int { 20 }
  private static var shortest: Duration { .milliseconds(10) }
  private static var longest: Duration { .milliseconds(250) }
  private static var step: Duration { .milliseconds(10) }

  private var interval = Self.shortest
  private var lastCommit = ContinuousClock.now - Self.longest

  package init() {}

  /// Takes note of how long a commit has taken.
  package mutating func note(commit duration: Duration) {
    interval = min(max(duration * Self.patience, Self.shortest), Self.longest)
  }

  /// Waits until the next commit is due, or something presses.
  package mutating func gather(until isPressing: () -> Bool) async {
    let next = lastCommit + interval
    while next > .now, !isPressing() {
      guard (try? await Task.sleep(until: min(next, .now + Self.step))) != nil else { break }
    }
    lastCommit = .now
  }
}
