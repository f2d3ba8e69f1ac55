import ApusParallel

/// A job as it travels to a worker.
package struct JobMessage: Sendable, Equatable {
  /// The job's number in the pool, from 1.
  package var id: UInt64
  /// The job's index in its run.
  package var index: Int
  /// The job's own seed.
  package var seed: Seed
  package var wireName: String
  package var job: [UInt8]

  package init(id: UInt64, index: Int, seed: Seed, wireName: String, job: [UInt8]) {
    self.id = id
    self.index = index
    self.seed = seed
    self.wireName = wireName
    self.job = job
  }

  package func write(to writer: inout ByteWriter) {
    writer.write(id)
    writer.write(UInt64(index))
    writer.write(seed.value)
    writer.write(wireName)
    writer.write(bytes: job)
  }

  static func readAll(_ body: [UInt8]) throws -> [JobMessage] {
    var reader = ByteReader(body)
    var jobs: [JobMessage] = []
    while !reader.isAtEnd {
      jobs.append(
        JobMessage(
          id: try reader.read(), index: Int(clamping: try reader.read(UInt64.self)),
          seed: Seed(try reader.read()),
          wireName: try reader.readText(), job: try reader.readBytes()))
    }
    return jobs
  }
}

/// What became of a job in a worker.
package struct ResultMessage: Sendable, Equatable {
  /// How the job ended.
  package enum Status: UInt8, Sendable {
    case succeeded, threw, cancelled, notRegistered
  }

  package var id: UInt64
  package var status: Status
  package var wallSeconds: Double
  package var cpuSeconds: Double
  /// The encoded output, or the text of the error.
  package var payload: [UInt8]

  func write(to writer: inout ByteWriter) {
    writer.write(id)
    writer.write(status.rawValue)
    writer.write(wallSeconds)
    writer.write(cpuSeconds)
    writer.write(bytes: payload)
  }

  private init(from reader: inout ByteReader) throws {
    id = try reader.read()
    let byte = try reader.read(UInt8.self)
    guard let status = Status(rawValue: byte) else {
      throw ApusError(.format, "a result has the unknown status \(byte)")
    }
    self.status = status
    wallSeconds = try reader.readDouble()
    cpuSeconds = try reader.readDouble()
    payload = try reader.readBytes()
  }

  package init(id: UInt64, status: Status, wallSeconds: Double, cpuSeconds: Double, payload: [UInt8]) {
    self.id = id
    self.status = status
    self.wallSeconds = wallSeconds
    self.cpuSeconds = cpuSeconds
    self.payload = payload
  }

  /// Reads the body of a results frame: the worker's private memory in bytes, then results.
  package static func readAll(_ body: [UInt8]) throws -> (memory: Int, results: [ResultMessage]) {
    var reader = ByteReader(body)
    let memory = Int(clamping: try reader.read(UInt64.self))
    var results: [ResultMessage] = []
    while !reader.isAtEnd { results.append(try ResultMessage(from: &reader)) }
    return (memory, results)
  }
}

/// The settings that a worker is welcomed with.
package struct Welcome: Codable, Sendable, Equatable {
  /// The threads that each job may use.
  package var threads: Int
}
