import CApusSystem

/// Measures jobs that run one after another on a thread.
///
/// Reading a thread's CPU clock is a system call and costs as much as a tiny job; so a job shorter than
/// ``shortest`` is given its wall-clock time as CPU time too, and the clock is read after longer ones only.
package struct JobStopwatch {
  private static let shortest: Int64 = 20_000

  private var wall: Int64
  private var cpu: Int64
  /// Wall-clock time of the short jobs since the CPU clock was last read.
  private var unread: Int64 = 0

  /// Starts with the first job.
  package init() {
    wall = capus_monotonic_nanoseconds()
    cpu = capus_thread_cpu_nanoseconds()
  }

  /// When the last job ended, in nanoseconds of the monotonic clock.
  var lastEnd: Int64 { wall }

  /// Ends a job and starts the next one.
  package mutating func lap(worker: String) -> JobExecution {
    let now = capus_monotonic_nanoseconds()
    let elapsed = now - wall
    wall = now
    var used = elapsed
    if elapsed < Self.shortest {
      unread += elapsed
    } else {
      let read = capus_thread_cpu_nanoseconds()
      used = max(0, read - cpu - unread)
      cpu = read
      unread = 0
    }
    return JobExecution(
      wallSeconds: Double(elapsed) * 1e-9, cpuSeconds: Double(used) * 1e-9, worker: worker)
  }
}
