import ApusParallel
import ApusProcesses

/// Jobs that travel as one task of Dask.
struct ClusterBatch: Sendable {
  var number: UInt64
  var run: Int
  /// What the dashboard shows: `fit ridge`.
  var name: String
  /// Batches of higher priority go first.
  var priority: Int32
  var jobs: [JobMessage]

  /// Number, run, priority, name, then each job's number and message.
  func write(to writer: inout ByteWriter) {
    writer.write(number)
    writer.write(UInt64(run))
    writer.write(priority)
    writer.write(name)
    for job in jobs {
      var message = ByteWriter()
      job.write(to: &message)
      writer.write(job.id)
      writer.write(bytes: message.bytes)
    }
  }

  /// A name for the dashboard from a job's label: `fit` and what comes before the first comma.
  static func name(for label: String) -> String {
    let subject = label.prefix { $0 != "," }.filter { $0.isLetter || $0.isNumber || " +_-".contains($0) }
    return subject.isEmpty ? "job" : "fit \(subject)"
  }
}

/// How many jobs travel together: enough that the cost of a task of Dask, some milliseconds, is small beside
/// them, and never more than half a second of work, so that no worker idles at the end and a retry repeats little.
package struct BatchSize: Sendable {
  private static let targetSeconds = 0.5
  private static let largest = 16384
  /// Jobs for each slot that may be at the cluster, of which the client keeps a record each.
  private static let mostJobsPerSlot = 65536
  package private(set) var jobs = 1
  private var meanSeconds: Double?
  private var wanted = 1

  package init() {}

  /// Learns from a batch that has come back. A size that was found from few jobs grows fourfold at most, since
  /// later ones may take longer.
  package mutating func finished(jobs count: Int, seconds: Double) {
    guard count > 0 else { return }
    let mean = seconds / Double(count)
    let smoothed = meanSeconds.map { 0.5 * $0 + 0.5 * mean } ?? mean
    meanSeconds = smoothed
    wanted = max(1, Int(min(Self.targetSeconds / max(smoothed, 1e-6), Double(Self.largest))))
    jobs = min(wanted, max(jobs, 4 * count))
  }

  /// How many batches should be at the cluster for each slot: one to run and one to follow while the size is being
  /// found; then some twelve seconds of work, from which a cluster that scales by itself sees that it should grow.
  package var batchesPerSlot: Int {
    guard let meanSeconds, jobs >= wanted else { return 2 }
    let seconds = max(meanSeconds * Double(jobs), 0.5)
    return max(2, min(Int(12 / seconds), Self.mostJobsPerSlot / jobs))
  }
}
