/// How many of a run's jobs travel together: enough that the cost of a task of Dask, some milliseconds, is small beside
/// them, and never more than half a second of work, so that no worker idles at the end and a retry repeats little.
package struct BatchSize: Sendable {
  private static let targetSeconds = 0.5
  private static let largest = 16384
  /// What a run may begin with that follows one of the same name, whose jobs may have been far quicker.
  private static let largestFirst = 128
  /// Toward the end of a run batches become smaller, down to this.
  private static let leastSeconds = 0.025
  /// What sending a job and its result costs beside the job itself.
  private static let messageSeconds = 10e-6
  /// Jobs for each slot that may be at the cluster, of which the client keeps a record each.
  private static let mostJobsPerSlot = 65536
  package private(set) var jobs = 1
  private var meanSeconds: Double?
  private var wanted = 1
  /// What an earlier run of the same name found, until this run's first jobs say whether it holds for them.
  private var earlier: (jobs: Int, meanSeconds: Double)?
  /// The size of a run's last batches.
  private var last: Int?

  package init() {}

  /// The size that a run begins with whose jobs have the names of an earlier run's.
  package init(after earlier: BatchSize) {
    jobs = min(earlier.jobs, Self.largestFirst)
    self.earlier = earlier.meanSeconds.map { (earlier.jobs, $0) }
  }

  /// Learns from a batch that has come back. A size that was found from few jobs grows fourfold at most, since
  /// later ones may take longer; unless it is known of an earlier run whose jobs took as long.
  package mutating func finished(jobs count: Int, seconds: Double) {
    guard count > 0 else { return }
    let mean = seconds / Double(count)
    let smoothed = meanSeconds.map { 0.5 * $0 + 0.5 * mean } ?? mean
    meanSeconds = smoothed
    wanted = max(1, Int(min(Self.targetSeconds / max(smoothed, 1e-6), Double(Self.largest))))
    jobs = min(wanted, max(jobs, 4 * count))
    if let known = earlier, mean <= 2 * known.meanSeconds { jobs = min(wanted, max(jobs, known.jobs)) }
    earlier = nil
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

  /// How many batches should be at the cluster for each slot: one to run and one to follow while the size is being
  /// found; then some twelve seconds of work, from which a cluster that scales by itself sees that it should grow.
  package var batchesPerSlot: Int {
    guard let meanSeconds, jobs >= wanted else { return 2 }
    let seconds = max(meanSeconds * Double(jobs), 0.5)
    return max(2, min(Int(12 / seconds), Self.mostJobsPerSlot / jobs))
  }
}
