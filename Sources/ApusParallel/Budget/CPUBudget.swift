import CApusSystem
import Foundation

/// How many CPUs this process may keep busy.
public struct CPUBudget: Hashable, Sendable {
  /// The number of CPUs, at least 1.
  public let cpuCount: Int

  /// Creates a budget.
  public init(cpuCount: Int) { self.cpuCount = max(1, cpuCount) }

  /// The budget of this process.
  public static var current: CPUBudget { CPUBudget(cpuCount: Int(capus_affinity_cpu_count())) }
}

extension ComputeContext {
  /// Every CPU this process may use, never cancelled.
  public static var allCPUs: ComputeContext { ComputeContext(threads: CPUBudget.current.cpuCount) }
}
