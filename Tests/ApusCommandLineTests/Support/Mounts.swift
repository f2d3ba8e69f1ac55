import Foundation

/// File systems that only the processes of one script see.
enum Mounts {
  /// Root makes a space of mounts of its own; others take a space of users with it, where the system lets them.
  private static let entrance =
    geteuid() == 0 ? "unshare --mount" : "unshare --user --map-root-user --mount"

  /// Whether a script can mount.
  static let arePossible: Bool = {
    let run = try? ApusBinary.shell("\(entrance) mount -t tmpfs tmpfs /mnt")
    return run?.status == 0
  }()

  /// Runs a script of bash that may mount; its mounts are gone when it ends.
  static func shell(_ script: String) throws -> ApusBinary.Result {
    let quoted = "'" + script.replacing("'", with: #"'\''"#) + "'"
    return try ApusBinary.shell("\(entrance) bash -c \(quoted)")
  }
}
