import ApusParallel
import Foundation

/// What the program asks of the bridge; the numbers are those of `apus_bridge.py`.
enum BridgeRequest {
  case open(BridgeTerms)
  case put(reference: Digest, path: String)
  case forget(reference: Digest)
  case submit(ClusterBatch)
  case stop(run: Int)

  /// The request as a frame: `u32` length, `u8` type, body.
  func frame() throws -> [UInt8] {
    var body = ByteWriter()
    let type: UInt8
    switch self {
    case .open(let terms):
      type = 1
      body.append(try JSONEncoder().encode(terms))
    case .put(let reference, let path):
      type = 2
      body.append(try JSONEncoder().encode(["reference": reference.hexadecimal, "path": path]))
    case .forget(let reference):
      type = 3
      body.append(try JSONEncoder().encode(["reference": reference.hexadecimal]))
    case .submit(let batch):
      type = 4
      batch.write(to: &body)
    case .stop(let run):
      type = 5
      body.append(try JSONEncoder().encode(["run": run]))
    }
    var frame = ByteWriter()
    frame.write(UInt32(1 + body.bytes.count))
    frame.write(type)
    return frame.bytes + body.bytes
  }
}

extension ByteWriter {
  fileprivate mutating func append(_ data: Data) { for byte in data { write(byte) } }
}

/// What the bridge needs to know before anything else.
struct BridgeTerms: Encodable, Sendable {
  /// What every worker needs to know of the program.
  struct Session: Encodable, Sendable {
    var name: String
    var executable: String
    var arguments: [String]
    var wireNames: [String]
    var threads: Int
    var jobTimeout: Double?
    var memoryLimit: Int?
    var crashLimit: Int
  }

  /// The files of ``ClusterSecurity``.
  struct Files: Encodable, Sendable {
    var ca: String
    var certificate: String
    var key: String
  }

  var scheduler: String
  var executablePath: String
  var timeout: Double
  var tls: Files?
  var resources: [String: Double]
  var dataStore: String?
  var session: Session
}

/// What the bridge tells the program.
enum BridgeAnswer: Sendable {
  case ready(slots: [String: Int], dashboard: String?, dask: String)
  case stored(Digest)
  case notStored(Digest, message: String)
  case results(batch: UInt64, [WorkerResults])
  case status(BridgeStatus)
  case trouble(message: String, isFatal: Bool)

  /// Reads the body of a frame.
  ///
  /// - Throws: ``ApusError`` of kind `format`, or what `JSONDecoder` says.
  init(type: UInt8, body: [UInt8]) throws {
    let data = Data(body)
    let decoder = JSONDecoder()
    switch type {
    case 64:
      let ready = try decoder.decode(Ready.self, from: data)
      self = .ready(slots: ready.slots, dashboard: ready.dashboard, dask: ready.dask)
    case 65:
      guard let digest = Digest(hexadecimal: String(decoding: body, as: UTF8.self)) else {
        throw ApusError(.format, "the bridge stored data without a digest")
      }
      self = .stored(digest)
    case 66:
      var reader = ByteReader(body)
      let batch = try reader.read(UInt64.self)
      var results: [WorkerResults] = []
      while !reader.isAtEnd {
        results.append(try WorkerResults(worker: reader.readText(), records: reader.readBytes()))
      }
      self = .results(batch: batch, results)
    case 67: self = .status(try decoder.decode(BridgeStatus.self, from: data))
    case 68:
      let trouble = try decoder.decode(Trouble.self, from: data)
      self = .trouble(message: trouble.message, isFatal: trouble.fatal)
    case 69:
      let refusal = try decoder.decode(Refusal.self, from: data)
      guard let digest = Digest(hexadecimal: refusal.reference) else {
        throw ApusError(.format, "the bridge refused data without a digest")
      }
      self = .notStored(digest, message: refusal.message)
    default: throw ApusError(.format, "the bridge sent a frame of unknown type \(type)")
    }
  }

  private struct Ready: Decodable {
    var slots: [String: Int]
    var dashboard: String?
    var dask: String
  }

  private struct Trouble: Decodable {
    var message: String
    var fatal: Bool
  }

  private struct Refusal: Decodable {
    var reference: String
    var message: String
  }
}

/// How the cluster is, as the bridge says every second.
struct BridgeStatus: Decodable, Sendable {
  /// Threads of each Dask worker that jobs can use, by its address.
  var workers: [String: Int]
  /// Batches at the cluster.
  var waiting: Int
  /// Batches that were sent again.
  var retries: Int
  /// `silent` while the scheduler does not answer, `lost` once the connection to it was given up.
  var scheduler: String?
}
