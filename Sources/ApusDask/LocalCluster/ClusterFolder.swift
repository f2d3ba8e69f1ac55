import ApusParallel
import Foundation

/// The folder in which the local cluster of this user is written down, with what its processes write.
enum ClusterFolder {
  /// `$XDG_STATE_HOME/apus/cluster`, or below `~/.local/state`.
  static var url: URL {
    // As its specification has it, what is no whole path does not count.
    let state = ProcessInfo.processInfo.environment["XDG_STATE_HOME"].flatMap {
      $0.hasPrefix("/") ? URL(fileURLWithPath: $0) : nil
    }
    return (state ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/state"))
      .appendingPathComponent("apus/cluster")
  }

  /// What is known of the cluster.
  static var record: URL { url.appendingPathComponent("cluster.json") }
  /// Where the scheduler says its address.
  static var schedulerFacts: URL { url.appendingPathComponent("scheduler.json") }
  /// Where Dask's workers write.
  static var scratch: URL { url.appendingPathComponent("scratch") }

  static func log(_ name: String) -> URL { url.appendingPathComponent("\(name).log") }

  /// Makes the folder, without what an earlier cluster left there.
  static func prepare() throws {
    clear()
    try FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  /// Removes what clusters have made there, and the folder if nothing else is in it.
  static func clear() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] where isOfCluster(name)
    {
      try? FileManager.default.removeItem(at: url.appendingPathComponent(name))
    }
    rmdir(url.path)
  }

  private static func isOfCluster(_ name: String) -> Bool {
    [record, schedulerFacts, scratch, log("scheduler")].contains { $0.lastPathComponent == name }
      || name.wholeMatch(of: /worker-[0-9]+\.log/) != nil
  }

  /// Waits until no other program starts or ends the cluster, and keeps others from it for as long as the lock lives.
  ///
  /// - Throws: ``ApusError`` of kind `file`.
  static func lock() async throws -> ClusterLock {
    let file = url.appendingPathExtension("lock").path
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    // What this program starts must not hold it on.
    let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw ApusError(.file, "\(file) cannot be opened: \(String(cString: strerror(errno)))")
    }
    let lock = ClusterLock(descriptor: descriptor)
    for _ in 0..<1200 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return lock }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw ApusError(.file, "another program has been starting or ending the local cluster for two minutes")
  }
}

/// What keeps others from the local cluster; the kernel takes it away from a program that ends.
final class ClusterLock: Sendable {
  private let descriptor: Int32

  fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }
}
