import CApusSystem
import Dispatch
import Foundation

/// What a step of a program cost: the time on the clock, and the CPU time of all threads.
struct Cost: Encodable, Sendable {
  /// Seconds on the clock.
  var wall: Double
  /// Seconds of CPU time, user and system, of all threads together.
  var cpu: Double

  /// Runs a step and measures it.
  static func measuring<Result>(_ step: () throws -> Result) rethrows -> (Result, Cost) {
    let wall = DispatchTime.now().uptimeNanoseconds
    let cpu = capus_process_cpu_nanoseconds()
    let result = try step()
    let cost = Cost(
      wall: Double(DispatchTime.now().uptimeNanoseconds - wall) / 1e9,
      cpu: Double(capus_process_cpu_nanoseconds() - cpu) / 1e9)
    return (result, cost)
  }
}

/// How much memory the process holds, as the kernel counts it.
enum ResidentMemory {
  /// The bytes that are in memory now.
  static var current: Int { field("VmRSS:") }

  /// The most bytes that were in memory, since the start or the last ``resetPeak()``.
  static var peak: Int { field("VmHWM:") }

  /// Starts to look for the peak anew; where the kernel does not allow it, the old peak stays.
  static func resetPeak() { try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs")) }

  private static func field(_ name: String) -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
    else { return 0 }
    return (Int(kibibytes) ?? 0) * 1024
  }
}
