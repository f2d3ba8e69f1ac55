import Foundation

/// A control group of its own whose processes may have little memory, where the kernel and its settings let a
/// test make one: as root, in either version of control groups.
public struct MemoryGroup: Sendable {
  /// The group's folder.
  public let path: String

  private static let folders = [
    (folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes"),
    (folder: "/sys/fs/cgroup", limit: "memory.max"),
  ]

  /// Whether such groups can be made here.
  public static var canBeMade: Bool {
    guard let group = try? MemoryGroup(bytes: 1 << 24) else { return false }
    group.remove()
    return true
  }

  /// Makes a group whose processes may hold so many bytes.
  public init(bytes: Int) throws {
    var failure: any Error = CocoaError(.fileNoSuchFile)
    for (folder, limit) in Self.folders {
      let path = "\(folder)/apus-test-\(UUID().uuidString)"
      guard mkdir(path, 0o700) == 0 else { continue }
      do {
        // The file is there only if the group governs memory.
        guard FileManager.default.fileExists(atPath: "\(path)/\(limit)") else { throw failure }
        try "\(bytes)".write(toFile: "\(path)/\(limit)", atomically: false, encoding: .utf8)
        self.path = path
        return
      } catch {
        failure = error
        rmdir(path)
      }
    }
    throw failure
  }

  /// Removes the group once its processes are gone.
  public func remove() {
    for _ in 0..<200 where rmdir(path) != 0 && errno == EBUSY { usleep(10_000) }
  }
}
