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
