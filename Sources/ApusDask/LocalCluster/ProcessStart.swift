import Foundation

/// When processes were started, by which they are told apart from later ones with their numbers.
enum ProcessStart {
  /// This run of the system.
  static var boot: String {
    (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
  }

  /// Ticks from the start of the system to a process's; nil when there is no such process, or it has ended.
  static func time(of process: Int32) -> UInt64? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      // The second field is the program's name, in brackets, and may hold anything.
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return UInt64(fields[19])
  }
}
