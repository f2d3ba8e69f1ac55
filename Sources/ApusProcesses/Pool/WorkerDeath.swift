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
  /// Why it could not be started or welcomed.
  package var refusal: String?

  package init(pid: Int32) { self.pid = pid }

  /// The failure of a job that crashed its workers.
  package func failure(of job: String, crashes: Int) -> JobFailure {
    JobFailure(
      reason: signal == SIGKILL && memoryWasShort ? .outOfMemory : .trapped,
      message: (crashes > 1 ? "ended \(crashes) workers; the last one " : "its worker ") + sentence,
      job: job, worker: "pid \(pid)")
  }

  /// The failure of a job that nobody could run.
  package func failureToStart(of job: String, executable: String) -> JobFailure {
    JobFailure(
      reason: .lost,
      message: "no worker could be started from \(executable): the last one \(sentence)"
        + (refusal == nil && exitCode == 0
          ? "; does the program call WorkerHook.runIfWorker at its start?" : ""),
      job: job)
  }

  /// How it ended, in words: `was killed by signal 4 (Illegal instruction); peak memory 45 MB; …`.
  package var sentence: String {
    var parts: [String] = []
    if let refusal {
      parts.append("was refused: \(refusal)")
    } else if signal != 0 {
      let hint = signal == SIGILL || signal == SIGTRAP ? ", a trap in Swift code" : ""
      parts.append("was killed by signal \(signal) (\(String(cString: strsignal(signal)))\(hint))")
    } else {
      parts.append("exited with code \(exitCode)")
    }
    if peakBytes > 0 { parts.append("peak memory \(peakBytes / 1_000_000) MB") }
    if !lastLines.isEmpty { parts.append("last output: \(lastLines.joined(separator: " | "))") }
    return parts.joined(separator: "; ")
  }

  /// How often the kernel has killed processes for want of memory since it started.
  static func memoryKills() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/vmstat", encoding: .utf8) else { return 0 }
    let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
    return line.flatMap { Int($0.dropFirst(9)) } ?? 0
  }
}
