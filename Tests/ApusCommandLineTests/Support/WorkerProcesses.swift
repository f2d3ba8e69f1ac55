import Foundation

/// The worker processes of a process, as the kernel knows them.
enum WorkerProcesses {
  /// The living workers that a process has started, told from its other children by their argument.
  static func of(_ parent: Int32 = getpid()) -> [Int32] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(parent)/task")) ?? []
    return tasks.flatMap { text("/proc/\(parent)/task/\($0)/children").split(separator: " ") }
      .compactMap { Int32($0) }.filter { text("/proc/\($0)/cmdline").hasSuffix("apus\u{0}worker\u{0}") }
      .sorted()
  }

  /// The threads of a process.
  static func threadCount(_ pid: Int32) -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task"))?.count ?? 0
  }

  /// Those that have been welcomed by their pool: they have threads beside the first one.
  static func atWork() -> [Int32] { of().filter { threadCount($0) >= 3 } }

  static func isAlive(_ pid: Int32) -> Bool {
    let state = text("/proc/\(pid)/stat")
    return !state.isEmpty && !state.contains(") Z ")
  }

  /// Waits until none of some processes is alive; whether that was the case in time.
  static func areGone(_ pids: [Int32], within seconds: Double) -> Bool {
    for _ in 0..<Int(seconds * 100) {
      if !pids.contains(where: isAlive) { return true }
      usleep(10_000)
    }
    return !pids.contains(where: isAlive)
  }

  private static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }
}
