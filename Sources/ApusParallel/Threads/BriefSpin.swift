import CApusSystem

/// Waits for what will very probably be there in a moment, without giving up the CPU: to sleep and be woken takes some
/// 50 µs on a virtual machine, as long as a step of k-means.
enum BriefSpin {
  /// No longer than it takes to be woken, so that at most half of the CPU time is wasted, and only between loops.
  private static let patience: Int64 = 50_000

  /// Returns when the condition holds, or after a while.
  static func until(_ isDone: () -> Bool) {
    if isDone() { return }
    let start = capus_monotonic_nanoseconds()
    repeat {
      for _ in 0..<64 {
        if isDone() { return }
        capus_pause()
      }
    } while capus_monotonic_nanoseconds() - start < patience
  }
}
