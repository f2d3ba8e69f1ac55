import ApusParallel

/// The kinds of frames of the worker protocol; below 64 towards the worker, from 64 on from the worker.
package enum FrameType: UInt8, Sendable {
  /// The handshake is accepted; settings for the worker.
  case welcome = 1
  /// The handshake is refused; a text that says why. The worker ends.
  case refuse = 2
  /// Jobs to run, in order.
  case jobs = 3
  /// Where placed data lies.
  case place = 4
  /// Placed data that is no longer needed.
  case drop = 5
  /// Jobs to stop or not to start.
  case cancel = 6
  /// The worker's side of the handshake; its first frame.
  case hello = 64
  /// What became of jobs.
  case results = 65
}

/// A frame: a type and a body.
package struct Frame: Sendable, Equatable {
  package var type: FrameType
  package var body: [UInt8]
}

/// The numbers that both ends of the worker protocol agree on.
package enum WorkerProtocol {
  /// The version; another one is refused in the handshake.
  package static let version: UInt32 = 1
  /// The bytes before a worker's first frame: whatever comes earlier is output of the program, not protocol.
  package static let preamble = Array("\u{0}APUSWRK".utf8)
  /// The longest frame, type and body together: 256 MiB.
  package static let longestFrame = 256 << 20
}

extension ByteWriter {
  /// Appends a frame: its length, its type, and what `body` writes.
  package mutating func writeFrame(_ type: FrameType, _ body: (inout ByteWriter) -> Void) {
    let start = bytes.count
    write(UInt32(0))
    write(type.rawValue)
    body(&self)
    let length = UInt32(bytes.count - start - 4).littleEndian
    withUnsafeBytes(of: length) { for (offset, byte) in $0.enumerated() { bytes[start + offset] = byte } }
  }
}

/// Cuts a stream of bytes into frames.
package struct FrameReader {
  private var buffer: [UInt8] = []
  private var position = 0
  private var awaitsPreamble: Bool
  /// What came before the preamble.
  package private(set) var strayOutput: [UInt8] = []

  /// - Parameter awaitsPreamble: whether frames start after the preamble, as a worker's do.
  package init(awaitsPreamble: Bool) { self.awaitsPreamble = awaitsPreamble }

  /// Takes bytes as they arrive.
  package mutating func append(_ bytes: some Collection<UInt8>) {
    if position > 0, position == buffer.count || position > 1 << 16 {
      buffer.removeSubrange(..<position)
      position = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame, or nil when more bytes are needed.
  ///
  /// - Throws: ``ApusError`` of kind `format` when a frame is longer than allowed, or of no known type.
  package mutating func next() throws -> Frame? {
    guard try passPreamble(), buffer.count - position >= 5 else { return nil }
    let length = buffer.withUnsafeBytes {
      Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
    }
    guard length >= 1, length <= WorkerProtocol.longestFrame else {
      throw ApusError(
        .format, "a frame of \(length) bytes came; the longest allowed is \(WorkerProtocol.longestFrame)")
    }
    guard let type = FrameType(rawValue: buffer[position + 4]) else {
      throw ApusError(.format, "a frame of unknown type \(buffer[position + 4]) came")
    }
    guard buffer.count - position >= 4 + length else { return nil }
    let body = Array(buffer[position + 5..<position + 4 + length])
    position += 4 + length
    return Frame(type: type, body: body)
  }

  private mutating func passPreamble() throws -> Bool {
    guard awaitsPreamble else { return true }
    let preamble = WorkerProtocol.preamble
    while position < buffer.count {
      let candidate = buffer[position...].prefix(preamble.count)
      if candidate.elementsEqual(preamble.prefix(candidate.count)) {
        guard candidate.count == preamble.count else { return false }
        position += preamble.count
        awaitsPreamble = false
        return true
      }
      strayOutput.append(buffer[position])
      position += 1
      if strayOutput.count > 1 << 16 {
        throw ApusError(.format, "the program wrote 64 KiB without greeting as a worker")
      }
    }
    return false
  }
}
