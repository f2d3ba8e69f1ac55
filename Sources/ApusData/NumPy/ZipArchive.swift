import ApusParallel
import CZlib

/// A zip archive of stored or deflated files: what NumPy's `.npz` files are.
///
/// The directory at the end says where each file lies; archives and files of more than 4 GB have its long form.
struct ZipArchive {
  /// A file of the archive.
  struct Entry {
    var name: String
    var method: Int
    var isEncrypted: Bool
    var checksum: UInt32
    var compressedCount: Int
    var count: Int
    var headerOffset: Int
  }

  let path: String
  let entries: [Entry]
  private let storage: SharedBytes

  /// Reads the directory.
  ///
  /// - Throws: ``ApusError`` of kind `data` where it is not there or damaged.
  init(_ storage: SharedBytes, path: String) throws {
    self.storage = storage
    self.path = path
    var reader = ByteReader(storage.bytes)
    // Every file takes 46 bytes of the directory at least.
    guard let (count, offset) = Self.directory(reader), count <= reader.count / 46 else {
      throw Self.damaged(path, "has no directory")
    }
    reader.position = offset
    entries = try (0..<count).map { index in
      guard let entry = Self.entry(&reader) else {
        throw Self.damaged(path, "has a directory that ends at file \(index + 1) of \(count)")
      }
      return entry
    }
  }

  /// The contents of a file: the archive's own memory where it is stored, and where in it.
  ///
  /// - Throws: ``ApusError`` of kind `data` where it is damaged, `unsupported` for encryption and methods other
  ///   than deflate.
  func contents(of entry: Entry) throws -> (storage: SharedBytes, bytes: Range<Int>) {
    var reader = ByteReader(storage.bytes)
    reader.position = entry.headerOffset
    guard reader.number(UInt32.self) == 0x0403_4B50, reader.skip(22),
      let nameCount = reader.number(UInt16.self),
      let extraCount = reader.number(UInt16.self), reader.skip(nameCount + extraCount),
      entry.compressedCount <= storage.bytes.count - reader.position
    else { throw Self.damaged(path, "ends within '\(entry.name)'") }
    let bytes = reader.position..<reader.position + entry.compressedCount
    guard !entry.isEncrypted, entry.method == 0 || entry.method == 8 else {
      throw ApusError(
        .unsupported, "'\(entry.name)' is encrypted or compressed by a method other than deflate",
        hint: "write it with numpy.savez or numpy.savez_compressed", at: ApusError.Location(file: path))
    }
    let result =
      entry.method == 0 ? (storage, bytes) : try inflated(bytes, count: entry.count)
    guard result.1.count == entry.count,
      Self.checksum(UnsafeRawBufferPointer(rebasing: result.0.bytes[result.1])) == entry.checksum
    else { throw Self.damaged(path, "holds '\(entry.name)' with a wrong checksum") }
    return result
  }

  private func inflated(_ bytes: Range<Int>, count: Int) throws -> (SharedBytes, Range<Int>) {
    let inflated = try Inflation.raw(
      UnsafeRawBufferPointer(rebasing: storage.bytes[bytes]), count: count, path: path)
    return (inflated, 0..<count)
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(
      truncatingIfNeeded: crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  private static func damaged(_ path: String, _ what: String) -> ApusError {
    ApusError(
      .data, "the archive \(what)", hint: "it was cut or damaged: write it again",
      at: ApusError.Location(file: path))
  }
}

// MARK: The directory

extension ZipArchive {
  /// The number of files and where their list begins, from the record at the end of the archive.
  private static func directory(_ reader: ByteReader) -> (count: Int, offset: Int)? {
    var reader = reader
    // A comment of up to 64 KB may follow the record.
    let last = reader.count - 22
    guard last >= 0 else { return nil }
    for position in stride(from: last, through: max(0, last - 65_535), by: -1) {
      reader.position = position
      guard reader.number(UInt32.self) == 0x0605_4B50 else { continue }
      guard reader.skip(6), let count = reader.number(UInt16.self), reader.skip(4),
        let offset = reader.number(UInt32.self)
      else { return nil }
      guard count == 0xFFFF || offset == 0xFFFF_FFFF else { return (count, offset) }
      return longDirectory(reader, before: position)
    }
    return nil
  }

  private static func longDirectory(_ reader: ByteReader, before end: Int) -> (count: Int, offset: Int)? {
    var reader = reader
    reader.position = end - 20
    guard end >= 20, reader.number(UInt32.self) == 0x0706_4B50, reader.skip(4),
      let record = reader.number(UInt64.self)
    else { return nil }
    reader.position = record
    guard reader.number(UInt32.self) == 0x0606_4B50, reader.skip(28), let count = reader.number(UInt64.self),
      reader.skip(8), let offset = reader.number(UInt64.self)
    else { return nil }
    return (count, offset)
  }

  private static func entry(_ reader: inout ByteReader) -> Entry? {
    guard reader.number(UInt32.self) == 0x0201_4B50, reader.skip(4), let flags = reader.number(UInt16.self),
      let method = reader.number(UInt16.self), reader.skip(4), let checksum = reader.number(UInt32.self),
      let compressedCount = reader.number(UInt32.self), let count = reader.number(UInt32.self),
      let nameCount = reader.number(UInt16.self), let extraCount = reader.number(UInt16.self),
      let commentCount = reader.number(UInt16.self), reader.skip(8), let offset = reader.number(UInt32.self),
      let name = reader.text(nameCount)
    else { return nil }
    var entry = Entry(
      name: name, method: method, isEncrypted: flags & 1 == 1, checksum: UInt32(checksum),
      compressedCount: compressedCount, count: count, headerOffset: offset)
    let extraEnd = reader.position + extraCount
    readLongSizes(of: &entry, reader, until: extraEnd)
    reader.position = extraEnd
    return reader.skip(commentCount) ? entry : nil
  }

  /// Sizes that do not fit 32 bits stand in an extra field, in this order.
  private static func readLongSizes(of entry: inout Entry, _ reader: ByteReader, until end: Int) {
    var reader = reader
    while reader.position + 4 <= end, let tag = reader.number(UInt16.self),
      let length = reader.number(UInt16.self)
    {
      let next = reader.position + length
      if tag == 1 {
        if entry.count == 0xFFFF_FFFF { entry.count = reader.number(UInt64.self) ?? 0 }
        if entry.compressedCount == 0xFFFF_FFFF { entry.compressedCount = reader.number(UInt64.self) ?? 0 }
        if entry.headerOffset == 0xFFFF_FFFF { entry.headerOffset = reader.number(UInt64.self) ?? 0 }
      }
      reader.position = next
    }
  }
}

/// Reads little-endian numbers, never beyond the end.
private struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var count: Int { bytes.count }

  mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> Int? {
    let size = MemoryLayout<Number>.size
    guard position >= 0, position <= bytes.count - size else { return nil }
    let value = Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
    position += size
    return Int(exactly: value)
  }

  mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, position >= 0, position <= bytes.count - count else { return false }
    position += count
    return true
  }

  mutating func text(_ count: Int) -> String? {
    let first = position
    return skip(count) ? String(decoding: bytes[first..<position], as: UTF8.self) : nil
  }
}
