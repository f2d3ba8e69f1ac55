import Foundation

/// The CPU quota of a process's control groups, as containers and service managers set it.
///
/// Both versions of Linux control groups are understood: `cpu.max` of version 2, `cpu.cfs_quota_us` and
/// `cpu.cfs_period_us` of version 1. A quota holds for everything below it, so every group from the process's
/// own up to the mount point is asked, and the smallest answer counts.
package enum ControlGroupQuota {
  /// The quota of this process in CPUs, such as 1.5; nil when there is none.
  static func ofThisProcess() -> Double? { read(root: "") }

  /// The quota that a file tree describes.
  ///
  /// - Parameter root: put before every absolute path, so that a copy of the files can be read.
  package static func read(root: String) -> Double? {
    guard let groups = text(root + "/proc/self/cgroup"), let mounts = text(root + "/proc/self/mountinfo")
    else { return nil }
    let hierarchies = ControlGroupMount.parse(mounts)
    let quotas = ControlGroup.parse(groups).flatMap { group -> [Double] in
      guard let mount = hierarchies.first(where: { $0.isVersion2 == group.isVersion2 }) else { return [] }
      return mount.folders(from: group.path).compactMap { folder in
        group.isVersion2
          ? version2Quota(text(root + folder + "/cpu.max"))
          : version1Quota(
            quota: text(root + folder + "/cpu.cfs_quota_us"),
            period: text(root + folder + "/cpu.cfs_period_us"))
      }
    }
    return quotas.min()
  }

  /// Reads `cpu.max`: `150000 100000` is one and a half CPUs, `max 100000` is no limit.
  package static func version2Quota(_ text: String?) -> Double? {
    let fields = (text ?? "").split(whereSeparator: \.isWhitespace)
    guard let first = fields.first, let quota = Double(first), quota > 0 else { return nil }
    let period = fields.count > 1 ? Double(fields[1]) ?? 0 : 100_000
    return period > 0 ? quota / period : nil
  }

  /// Reads the two files of version 1; a quota of -1 is no limit.
  package static func version1Quota(quota: String?, period: String?) -> Double? {
    func number(_ text: String?) -> Double? {
      text.flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    guard let quota = number(quota), let period = number(period), quota > 0, period > 0 else { return nil }
    return quota / period
  }

  private static func text(_ path: String) -> String? {
    guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The group that governs a process's CPU time in one hierarchy: a line of `/proc/self/cgroup`.
private struct ControlGroup {
  var isVersion2: Bool
  var path: String

  /// The hierarchies that may hold a CPU quota: `0::/path` of version 2, `4:cpu,cpuacct:/path` of version 1.
  static func parse(_ text: String) -> [ControlGroup] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      if fields[0] == "0", fields[1].isEmpty {
        return ControlGroup(isVersion2: true, path: String(fields[2]))
      }
      guard fields[1].split(separator: ",").contains("cpu") else { return nil }
      return ControlGroup(isVersion2: false, path: String(fields[2]))
    }
  }
}

/// Where a hierarchy of control groups is mounted: a line of `/proc/self/mountinfo`.
private struct ControlGroupMount {
  var isVersion2: Bool
  /// The group that the mount point shows; not `/` inside most containers.
  var rootGroup: String
  var mountPoint: String

  static func parse(_ text: String) -> [ControlGroupMount] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ").map(String.init)
      guard let dash = fields.firstIndex(of: "-"), dash + 3 < fields.count, dash >= 5 else { return nil }
      let isVersion2 = fields[dash + 1] == "cgroup2"
      let governsCPU = fields[dash + 3].split(separator: ",").contains("cpu")
      guard isVersion2 || (fields[dash + 1] == "cgroup" && governsCPU) else { return nil }
      return ControlGroupMount(
        isVersion2: isVersion2, rootGroup: unescaped(fields[3]), mountPoint: unescaped(fields[4]))
    }
  }

  /// The folders of a group and all its ancestors that the mount shows, the innermost first.
  func folders(from group: String) -> [String] {
    var names = group.split(separator: "/").map(String.init)
    let above = rootGroup.split(separator: "/").map(String.init)
    // A path outside of what is mounted, as a namespace shows it, leaves only the mount point itself.
    if names.starts(with: above), !names.contains("..") {
      names.removeFirst(above.count)
    } else {
      names = []
    }
    return (0...names.count).reversed().map { count in
      ([mountPoint] + names.prefix(count)).joined(separator: "/")
    }
  }

  /// Undoes the octal escapes of spaces, tabs, line feeds and backslashes.
  private static func unescaped(_ field: String) -> String {
    var result = field
    for (escape, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
      result = result.replacingOccurrences(of: escape, with: character)
    }
    return result
  }
}
