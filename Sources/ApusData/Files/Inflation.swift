import ApusParallel
import CZlib
import Foundation

/// Inflates what zlib's deflate made.
enum Inflation {
  /// The contents of a gzip file, all its members one after the other.
  ///
  /// - Throws: ``ApusError`` of kind `data` where the file is cut or damaged.
  static func gzip(_ bytes: UnsafeRawBufferPointer, path: String) throws -> SharedBytes {
    // The last four bytes give the size of the last member; deflate cannot shrink more than 1032 times.
    let hint = bytes.count < 18 ? 0 : Int(UInt32(littleEndian: bytes.suffixWord))
    var region = GrowingRegion(capacity: min(max(hint, bytes.count), bytes.count * 1032) + 4097)
    do {
      try inflateMembers(bytes, into: &region, path: path)
    } catch {
      region.deallocate()
      throw error
    }
    return region.finish()
  }

  /// Raw deflate data, as zip archives hold it.
  ///
  /// - Throws: ``ApusError`` of kind `data` where the data is damaged or not `count` bytes long.
  static func raw(_ bytes: UnsafeRawBufferPointer, count: Int, path: String) throws -> SharedBytes {
    let stream = try Stream(windowBits: -15, path: path)
    defer { stream.end() }
    var region = GrowingRegion(capacity: min(count, bytes.count * 1032) + 4097)
    var input = bytes
    let ended = stream.run(&input, into: &region)
    guard ended == Z_STREAM_END, region.count == count else {
      region.deallocate()
      throw damaged(path, at: bytes.count - input.count)
    }
    return region.finish()
  }

  private static func inflateMembers(
    _ bytes: UnsafeRawBufferPointer, into region: inout GrowingRegion, path: String
  ) throws {
    let stream = try Stream(windowBits: 15 + 16, path: path)
    defer { stream.end() }
    var input = bytes
    repeat {
      let status = stream.run(&input, into: &region)
      guard status == Z_STREAM_END else {
        if input.isEmpty {
          throw ApusError(
            .data, "the gzip file ends too early", hint: "it was cut: download or write it again",
            at: ApusError.Location(file: path))
        }
        throw damaged(path, at: bytes.count - input.count)
      }
      stream.reset()
      // What follows the last member without being one, such as padding, is ignored as gzip does.
    } while input.starts(with: [0x1F, 0x8B])
  }

  private static func damaged(_ path: String, at offset: Int) -> ApusError {
    ApusError(
      .data, "the compressed data is damaged near byte \(offset)", at: ApusError.Location(file: path))
  }
}

/// zlib's state for one file.
private struct Stream {
  // On the heap, because zlib remembers where its state lies.
  private let state: UnsafeMutablePointer<z_stream>

  init(windowBits: Int32, path: String) throws {
    state = .allocate(capacity: 1)
    state.initialize(to: z_stream())
    let status = inflateInit2_(state, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      state.deallocate()
      throw ApusError(.file, "zlib cannot start (code \(status)) on \(path)")
    }
  }

  func reset() { inflateReset(state) }

  func end() {
    inflateEnd(state)
    state.deallocate()
  }

  /// Inflates until the end of a member, or an error; leaves in `input` what was not used.
  func run(_ input: inout UnsafeRawBufferPointer, into region: inout GrowingRegion) -> Int32 {
    while true {
      region.reserve(1 << 12)
      let free = region.free
      // zlib counts in 32 bits.
      let given = min(input.count, 1 << 30)
      let room = min(free.count, 1 << 30)
      state.pointee.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
      state.pointee.avail_in = UInt32(given)
      state.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
      state.pointee.avail_out = UInt32(room)
      let status = inflate(state, Z_NO_FLUSH)
      let used = given - Int(state.pointee.avail_in)
      let made = room - Int(state.pointee.avail_out)
      region.count += made
      input = UnsafeRawBufferPointer(rebasing: input[used...])
      guard status == Z_OK, used + made > 0 else { return status }
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var suffixWord: UInt32 { loadUnaligned(fromByteOffset: count - 4, as: UInt32.self) }
}
