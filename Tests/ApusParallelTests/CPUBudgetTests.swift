import ApusParallel
import ApusTestSupport
import Foundation
import Testing

@Suite(.blocking) struct CPUBudgetTests {
  /// A copy of the files that describe control groups, in a folder of its own.
  private struct FileTree: ~Copyable {
    let root = NSTemporaryDirectory() + "apus-budget-\(UUID().uuidString)"
    init(_ files: [String: String]) throws {
      for (path, text) in files {
        let url = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
    }
    deinit { try? FileManager.default.removeItem(atPath: root) }
  }

  private static let version2Mount =
    "25 1 0:22 / /proc rw - proc proc rw\n"
    + "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

  @Test func quotasAreRoundedUpAndNeverBelowOne() {
    #expect(CPUBudget.limit(affinity: 8, quota: nil) == 8)
    #expect(CPUBudget.limit(affinity: 8, quota: 1.5) == 2)
    #expect(CPUBudget.limit(affinity: 8, quota: 0.1) == 1)
    #expect(CPUBudget.limit(affinity: 8, quota: 64) == 8)
    #expect(CPUBudget.limit(affinity: 8, quota: 3) == 3)
    #expect(CPUBudget.limit(affinity: -1, quota: nil) == 1)
  }

  @Test func quotaTexts() {
    #expect(ControlGroupQuota.version2Quota("max 100000\n") == nil)
    #expect(ControlGroupQuota.version2Quota("150000 100000\n") == 1.5)
    #expect(ControlGroupQuota.version2Quota("50000\n") == 0.5)
    #expect(ControlGroupQuota.version2Quota("nonsense") == nil)
    #expect(ControlGroupQuota.version2Quota(nil) == nil)
    #expect(ControlGroupQuota.version1Quota(quota: "-1\n", period: "100000\n") == nil)
    #expect(ControlGroupQuota.version1Quota(quota: "250000\n", period: "100000\n") == 2.5)
    #expect(ControlGroupQuota.version1Quota(quota: "250000", period: "0") == nil)
    #expect(ControlGroupQuota.version1Quota(quota: nil, period: "100000") == nil)
  }

  @Test func theSmallestQuotaOnTheWayUpCounts() throws {
    let tree = try FileTree([
      "/proc/self/cgroup": "0::/kubepods/burstable/pod1\n",
      "/proc/self/mountinfo": Self.version2Mount,
      "/sys/fs/cgroup/kubepods/burstable/pod1/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/kubepods/burstable/cpu.max": "300000 100000\n",
      "/sys/fs/cgroup/kubepods/cpu.max": "700000 100000\n",
    ])
    #expect(ControlGroupQuota.read(root: tree.root) == 3)
  }

  @Test func aContainersOwnGroupIsItsMountPoint() throws {
    // Inside a namespace the path may be `/`, or point outside of what is mounted.
    for path in ["/", "/../../other"] {
      let tree = try FileTree([
        "/proc/self/cgroup": "0::\(path)\n",
        "/proc/self/mountinfo": Self.version2Mount,
        "/sys/fs/cgroup/cpu.max": "50000 100000\n",
      ])
      #expect(ControlGroupQuota.read(root: tree.root) == 0.5)
    }
  }

  @Test func version1WithAMountOfAnInnerGroup() throws {
    // As Docker shows it without a namespace: the mount's root is the container's own group.
    let tree = try FileTree([
      "/proc/self/cgroup": "7:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc/inner\n0::/\n",
      "/proc/self/mountinfo":
        "33 31 0:30 /docker/abc /sys/fs/cgroup/cpu\\040acct ro - cgroup cgroup rw,cpu,cpuacct\n"
        + "34 31 0:31 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
      "/sys/fs/cgroup/cpu acct/cpu.cfs_quota_us": "400000\n",
      "/sys/fs/cgroup/cpu acct/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu acct/inner/cpu.cfs_quota_us": "225000\n",
      "/sys/fs/cgroup/cpu acct/inner/cpu.cfs_period_us": "100000\n",
    ])
    #expect(ControlGroupQuota.read(root: tree.root) == 2.25)
  }

  @Test func withoutFilesThereIsNoQuota() throws {
    let tree = try FileTree(["/proc/self/cgroup": "0::/\n"])
    #expect(ControlGroupQuota.read(root: tree.root) == nil)
  }

  @Test func theCapOfTheEnvironmentIsChecked() throws {
    #expect(try CPUBudget.cap(inEnvironment: [:]) == nil)
    #expect(try CPUBudget.cap(inEnvironment: ["APUS_MAX_CPUS": "3"]) == 3)
    for text in ["0", "-2", "two", "1.5"] {
      #expect { try CPUBudget.cap(inEnvironment: ["APUS_MAX_CPUS": text]) } throws: { error in
        "\(error)".contains("APUS_MAX_CPUS is '\(text)'")
      }
    }
  }

  @Test func thisProcessHasNoMoreThanTheSystemCounts() throws {
    // nproc is another implementation of the affinity part.
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/nproc")
    process.environment = [:]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    process.waitUntilExit()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    let count = try #require(
      Int(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
    let quota = ControlGroupQuota.read(root: "")
    #expect(
      CPUBudget.process.cpuCount
        == min(CPUBudget.limit(affinity: count, quota: quota), CPUBudget.cap ?? count))
  }
}
