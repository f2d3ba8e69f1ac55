import Foundation

/// A process, told apart from every other one that has the same number at another time or on another host.
package struct ProcessIdentity: Sendable, Hashable {
  /// The host's start and the process namespace: processes of equal worlds can see each other.
  package var world: String
  /// The number of the process.
  package var number: Int
  /// When the process was started, in the host's ticks; 0 where the system does not say.
  package var start: Int

  /// - Parameters:
  ///   - world: the host and process namespace.
  ///   - number: the number of the process.
  ///   - start: when it was started.
  package init(world: String, number: Int, start: Int) {
    self.world = world
    self.number = number
    self.start = start
  }

  /// This process.
  package static let current: ProcessIdentity = {
    let number = Int(getpid())
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    let namespace = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
    let host = boot.isEmpty ? ProcessInfo.processInfo.hostName : String(boot.prefix { !$0.isWhitespace })
    return ProcessIdentity(
      world: "\(host) \(namespace)", number: number, start: start(ofProcess: number) ?? 0)
  }()

  /// Whether the process is known to have ended; false where this process cannot see it.
  package var hasEnded: Bool {
    guard world == Self.current.world, self != Self.current else { return false }
    if kill(pid_t(truncatingIfNeeded: number), 0) != 0, errno == ESRCH { return true }
    guard let start = Self.start(ofProcess: number) else { return false }
    return start != self.start
  }

  // The 22nd field of /proc/PID/stat; the second, the program's name in parentheses, may hold spaces.
  private static func start(ofProcess number: Int) -> Int? {
    guard let line = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
      let name = line.lastIndex(of: ")")
    else { return nil }
    let fields = line[line.index(after: name)...].split(separator: " ")
    // A process that has ended and was not waited for yet keeps its line, in state Z.
    guard fields.count > 19, fields[0] != "Z" else { return -1 }
    return Int(fields[19])
  }
}
