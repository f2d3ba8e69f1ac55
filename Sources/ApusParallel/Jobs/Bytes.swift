/// Writes fields one after another: little-endian integers, and texts and bytes with their length before them.
///
/// Frames of the worker protocol, and jobs that travel by the thousand, are made of such fields.
package struct ByteWriter {
  /// What was written so far.
  @usableFromInline package var bytes: [UInt8] = []

  /// A writer that has written nothing.
  @inlinable package init() {}

  /// Writes a byte.
  @inlinable package mutating func write(_ value: UInt8) { bytes.append(value) }

  /// Writes an integer.
  @inlinable package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Writes a number, exactly.
  @inlinable package mutating func write(_ value: Double) { write(value.bitPattern) }

  /// Writes a length and bytes.
  @inlinable package mutating func write(bytes other: [UInt8]) {
    write(UInt32(other.count))
    bytes.append(contentsOf: other)
  }

  /// Writes a text.
  @inlinable package mutating func write(_ text: String) {
    write(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }
}

/// Reads the fields that a ``ByteWriter`` wrote.
package struct ByteReader {
  @usableFromInline let bytes: [UInt8]
  @usableFromInline var position = 0

  /// Starts at the first of some bytes.
  @inlinable package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether everything was read.
  @inlinable package var isAtEnd: Bool { position == bytes.count }

  /// Reads an integer.
  @inlinable package mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws
    -> Value
  {
    let size = MemoryLayout<Value>.size
    try check(size)
    defer { position += size }
    return bytes.withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Value.self))
    }
  }

  /// Reads a number.
  @inlinable package mutating func readDouble() throws -> Double { Double(bitPattern: try read()) }

  /// Reads bytes.
  @inlinable package mutating func readBytes() throws -> [UInt8] {
    let count = Int(try read(UInt32.self))
    try check(count)
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  /// Reads a text.
  @inlinable package mutating func readText() throws -> String {
    let count = Int(try read(UInt32.self))
    try check(count)
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }

  /// Reads a number of fields, each of at least a byte.
  @inlinable package mutating func readCount() throws -> Int {
    let count = Int(try read(UInt32.self))
    try check(count)
    return count
  }

  @usableFromInline func check(_ count: Int) throws {
    if bytes.count - position < count {
      throw ApusError(.format, "a message ends too early")
    }
  }
}
