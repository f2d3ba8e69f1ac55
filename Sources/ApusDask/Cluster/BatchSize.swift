/// How many of a run's jobs travel together: enough that the cost of a task of Dask, some milliseconds, is small beside
/// them, and never more than half a second of work, so that no worker idles at the end and a retry repeats little; nor
/// more than 16 MB of jobs and outputs, so that no part of the cluster holds much more at once.
package struct BatchSize: Sendable {
  private static let targetSeconds = 0.5
  private static let largest = 16384
  private static let largestBytes = 16e6
  /// Bytes of jobs and outputs that may be at the cluster beyond one batch for each slot.
  private static let mostBytes = 256e6
  /// How much larger a batch may be than those that have come back. Jobs may turn out to take far longer than those
  /// before: a worker that has no time for all of a batch hands back what it has not begun.
  private static let growth = 32
  /// Toward the end of a run batches become smaller, down to this.
  private static let leastSeconds = 0.025
  /// What sending a job and its result costs beside the job itself.
  private static let messageSeconds = 10e-6
  /// Jobs for each slot that may be at the cluster, of which the client keeps a record each.
  private static let mostJobsPerSlot = 65536
  package private(set) var jobs = 1
  private var meanSeconds: Double?
  private var meanBytes = 0.0
  private var wanted = 1
  /// The size of a run's last batches.
  private var last: Int?

  package init() {}

  /// The size that a run begins with whose jobs have the names of an earlier run's.
  package init(after earlier: BatchSize) { jobs = earlier.jobs }

  /// Learns from a batch that has come back.
  package mutating func finished(jobs count: Int, seconds: Double, bytes: Int = 0) {
    guard count > 0 else { return }
    // One that is large says more than many that are small.
    meanBytes = max(0.5 * meanBytes, Double(bytes) / Double(count))
    let mean = seconds / Double(count)
    let smoothed = meanSeconds.map { 0.5 * $0 + 0.5 * mean } ?? mean
    meanSeconds = smoothed
    let most = min(Double(Self.largest), Self.largestBytes / max(meanBytes, 1))
    wanted = max(1, Int(min(Self.targetSeconds / max(smoothed, 1e-6), most)))
    jobs = min(wanted, max(jobs, Self.growth * count))
  }

  /// The number of jobs of the next batch, where so many are left and so many slots share them: less than ``jobs``
  /// toward the end, so that all slots have something to do until then.
  package mutating func next(left: Int?, slots: Int) -> Int {
    guard let left else { return jobs }
    let half = max(1, (left + 2 * slots - 1) / (2 * slots))
    guard let meanSeconds else { return min(jobs, half) }
    if last == nil {
      // Each slot gets a few batches more, of the same size.
      let seconds = (meanSeconds + Self.messageSeconds) * Double(left) / Double(slots)
      let rounds = max(1, Int(min(seconds / Self.leastSeconds, 5)))
      guard rounds <= 4 else { return min(jobs, half) }
      last = max(1, (left + rounds * slots - 1) / (rounds * slots))
    }
    return min(jobs, last ?? jobs)
  }

  /// How many batches may be at the cluster so that they have no more bytes than it should hold.
  package var batchesThatFit: Int { max(1, Int(Self.mostBytes / max(meanBytes * Double(jobs), 1))) }

  /// How many batches should be at the cluster for each slot: one to run and one to follow while the size is being
  /// found; then some twelve seconds of work, from which a cluster that scales by itself sees that it should grow.
  package var batchesPerSlot: Int {
    guard let meanSeconds, jobs >= wanted else { return 2 }
    let seconds = max(meanSeconds * Double(jobs), 0.5)
    return max(2, min(Int(12 / seconds), Self.mostJobsPerSlot / jobs))
  }
}
