import CApusSystem
import Foundation
import Synchronization

/// How many CPUs this process may keep busy: the smallest of its affinity mask, the quota of its control
/// group (a container's limit) and the user's cap.
///
/// ```swift
/// CPUBudget.cap = 4                      // or APUS_MAX_CPUS=4 in the environment
/// print(CPUBudget.current.cpuCount)      // 4, or less where the machine or the container has less
/// ```
public struct CPUBudget: Hashable, Sendable {
  /// The number of CPUs, at least 1.
  public let cpuCount: Int

  /// Creates a budget of at least one CPU.
  public init(cpuCount: Int) { self.cpuCount = max(1, cpuCount) }

  /// The budget here and now: inside a job the job's share, elsewhere that of the process.
  public static var current: CPUBudget {
    if let share = CPUShare.current { return CPUBudget(cpuCount: share) }
    return process
  }

  /// The budget of the process.
  ///
  /// The limits of the system are read once, when first asked for.
  public static var process: CPUBudget {
    CPUBudget(cpuCount: min(systemLimit, cap ?? systemLimit))
  }

  /// The user's cap on the CPUs of this process; nil for none. At first the value of the environment variable
  /// `APUS_MAX_CPUS`.
  public static var cap: Int? {
    get {
      let value = storedCap.load(ordering: .relaxed)
      return value > 0 ? value : nil
    }
    set { storedCap.store(newValue.map { max(1, $0) } ?? 0, ordering: .relaxed) }
  }

  /// Reads the cap that an environment asks for.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when the variable is not a whole number of at least 1.
  package static func cap(inEnvironment environment: [String: String]) throws -> Int? {
    guard let text = environment["APUS_MAX_CPUS"], !text.isEmpty else { return nil }
    guard let value = Int(text), value >= 1 else {
      throw ApusError(
        .invalidParameter, "APUS_MAX_CPUS is '\(text)', which is not a number of CPUs",
        hint: "set it to a whole number of at least 1, or unset it")
    }
    return value
  }

  /// The smaller of an affinity count and a quota that may be fractional: a started CPU counts as one.
  package static func limit(affinity: Int, quota: Double?) -> Int {
    let available = max(1, affinity)
    guard let quota, quota > 0, quota < Double(available) else { return available }
    return max(1, Int(quota.rounded(.up)))
  }

  private static let systemLimit = limit(
    affinity: Int(capus_affinity_cpu_count()), quota: ControlGroupQuota.ofThisProcess())

  // 0 stands for no cap.
  private static let storedCap: Atomic<Int> = {
    do {
      return Atomic(try cap(inEnvironment: ProcessInfo.processInfo.environment) ?? 0)
    } catch {
      FileHandle.standardError.write(Data("warning: \(error)\n".utf8))
      return Atomic(0)
    }
  }()
}

extension ComputeContext {
  /// Every CPU that may be used here (inside a job: the job's share), never cancelled.
  public static var allCPUs: ComputeContext { ComputeContext(threads: CPUBudget.current.cpuCount) }
}
