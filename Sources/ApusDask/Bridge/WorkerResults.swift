import ApusParallel
import Foundation

/// What one worker on the cluster says of some jobs: records of the worker protocol, and one status more for jobs
/// whose worker ended.
struct WorkerResults: Sendable {
  /// What became of a job.
  enum Outcome: Sendable {
    case output([UInt8], JobExecution)
    case failure(JobFailure.Reason, String)
  }

  /// The job's number, and what became of it.
  let outcomes: [(job: UInt64, outcome: Outcome)]
  /// The host and the process.
  let worker: String

  /// Reads records.
  ///
  /// - Throws: ``ApusError`` of kind `format`.
  init(worker: String, records: [UInt8]) throws {
    self.worker = worker
    var reader = ByteReader(records)
    var outcomes: [(UInt64, Outcome)] = []
    while !reader.isAtEnd {
      let job = try reader.read(UInt64.self)
      let status = try reader.read(UInt8.self)
      let execution = JobExecution(
        wallSeconds: try reader.readDouble(), cpuSeconds: try reader.readDouble(), worker: worker)
      let payload = try reader.readBytes()
      outcomes.append((job, try Self.outcome(status, payload, execution)))
    }
    self.outcomes = outcomes
  }

  private static func outcome(
    _ status: UInt8, _ payload: [UInt8], _ execution: JobExecution
  ) throws -> Outcome {
    let text = { String(decoding: payload, as: UTF8.self) }
    switch status {
    case 0: return .output(payload, execution)
    case 1: return .failure(.threw, text())
    case 2: return .failure(.cancelled, text())
    case 3: return .failure(.notRegistered, text())
    case 16:
      let ended = try JSONDecoder().decode(Ended.self, from: Data(payload))
      return .failure(JobFailure.Reason(rawValue: ended.reason) ?? .lost, ended.message)
    default: throw ApusError(.format, "a result has the unknown status \(status)")
    }
  }

  private struct Ended: Decodable {
    var reason: String
    var message: String
  }
}
