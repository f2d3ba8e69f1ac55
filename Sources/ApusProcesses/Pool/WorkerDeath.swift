import ApusParallel
import Foundation

/// How a worker ended, and what is known about it.
package struct WorkerDeath: Sendable {
  /// The process; 0 when it was never started.
  package var pid: Int32
  /// The exit code, or -1.
  package var exitCode: Int32 = -1
  /// The signal that killed it, or 0.
  package var signal: Int32 = 0
  /// The largest resident set it had, in bytes.
  package var peakBytes: Int64 = 0
  /// Whether the kernel had killed for want of memory meanwhile.
  package var memoryWasShort = false
  /// The last lines it wrote to standard error.
  package var lastLines: [String] = []
  /// Why it could not be started, or why the pool ended it.
  package var complaint: String?
  /// Whether it had greeted and was welcomed.
  package var hadGreeted = false

  package init(pid: Int32) { self.pid = pid }

  /// The failure of a job that crashed its workers.
  package func failure(of job: String, crashes: Int) -> JobFailure {
    JobFailure(
      reason: signal == SIGKILL && memoryWasShort ? .outOfMemory : .trapped,
      message: (crashes > 1 ? "ended \(crashes) workers; the last one " : "its worker ") + sentence,
      job: job, worker: "pid \(pid)")
  }

  /// The failure of a job that ran for too long.
  package func timeOut(of job: String, limit: Double) -> JobFailure {
    let parts = ["ran for more than \(limit) s and was stopped with its worker"] + circumstances
    return JobFailure(
      reason: .timedOut, message: parts.joined(separator: "; "), job: job, worker: "pid \(pid)")
  }

  /// The failure of a job that nobody could run.
  package func failureToStart(of job: String, executable: String) -> JobFailure {
    JobFailure(
      reason: .lost,
      message: "no worker could be started from \(executable): the last one \(sentence)"
        + (complaint == nil && exitCode == 0
          ? "; does the program call WorkerHook.runIfWorker at its start?" : ""),
      job: job)
  }

  /// How it ended, in words: `was killed by signal 4 (Illegal instruction); peak memory 45 MB; …`.
  package var sentence: String {
    let end: String
    if let complaint {
      end = hadGreeted ? "was killed by the pool: \(complaint)" : "was refused: \(complaint)"
    } else if signal != 0 {
      let hint = signal == SIGILL || signal == SIGTRAP ? ", a trap in Swift code" : ""
      let memory = signal == SIGKILL && memoryWasShort ? " when the kernel was short of memory" : ""
      end = "was killed by signal \(signal) (\(String(cString: strsignal(signal)))\(hint))\(memory)"
    } else {
      end = "exited with code \(exitCode)"
    }
    return ([end] + circumstances).joined(separator: "; ")
  }

  private var circumstances: [String] {
    var parts: [String] = []
    if peakBytes > 0 { parts.append("peak memory \(peakBytes / 1_000_000) MB") }
    if !lastLines.isEmpty { parts.append("last output: \(lastLines.joined(separator: " | "))") }
    return parts
  }
}

/// Notices that the kernel kills processes for want of memory, on this host or in this control group.
struct MemoryKills {
  /// The counts at the last look but one and at the last one; two looks are at least a second apart.
  private var before = Self.count()
  private var last = Self.count()
  private var nextLook: Int64 = 0

  /// Whether there was a kill in the last seconds.
  var haveGrown: Bool { Self.count() > before }

  /// Forgets what is long past.
  mutating func look(_ now: Int64) {
    guard now > nextLook else { return }
    nextLook = now + 1_000_000_000
    before = last
    last = Self.count()
  }

  private static func count() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/vmstat", encoding: .utf8) else { return 0 }
    let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
    return line.flatMap { Int($0.dropFirst(9)) } ?? 0
  }
}
