import ApusParallel

/// Writes the fields of a frame's body: little-endian integers, and texts and bytes with their length.
package struct ByteWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func write(_ value: UInt8) { bytes.append(value) }

  package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func write(_ value: Double) { write(value.bitPattern) }

  package mutating func write(bytes other: some Collection<UInt8>) {
    write(UInt32(other.count))
    bytes.append(contentsOf: other)
  }

  package mutating func write(_ text: String) { write(bytes: text.utf8) }

  /// Appends a frame: its length, its type, and what `body` writes.
  package mutating func writeFrame(_ type: FrameType, _ body: (inout ByteWriter) -> Void) {
    let start = bytes.count
    write(UInt32(0))
    write(type.rawValue)
    body(&self)
    let length = UInt32(bytes.count - start - 4).littleEndian
    withUnsafeBytes(of: length) { for (offset, byte) in $0.enumerated() { bytes[start + offset] = byte } }
  }

  /// Hands over the bytes written so far and starts again.
  package mutating func take() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }
}

/// Reads the fields of a frame's body.
package struct ByteReader {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var isAtEnd: Bool { position == bytes.count }

  package mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws -> Value {
    let size = MemoryLayout<Value>.size
    try check(size)
    defer { position += size }
    return bytes.withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Value.self))
    }
  }

  package mutating func readDouble() throws -> Double { Double(bitPattern: try read()) }

  package mutating func readBytes() throws -> ArraySlice<UInt8> {
    let count = Int(try read(UInt32.self))
    try check(count)
    defer { position += count }
    return bytes[position..<position + count]
  }

  package mutating func readText() throws -> String { String(decoding: try readBytes(), as: UTF8.self) }

  private func check(_ count: Int) throws {
    if bytes.count - position < count {
      throw ApusError(.format, "a frame of the worker protocol ends too early")
    }
  }
}
