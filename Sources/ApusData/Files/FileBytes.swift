import ApusParallel
import Foundation

/// Brings whole files into memory: mapped where that is possible, read where it is not, inflated if need be.
enum FileBytes {
  /// The bytes of a file; pipes and devices are read to their end.
  ///
  /// - Throws: ``ApusError`` of kind `file` that names the path and the system's reason.
  static func contents(of path: String) throws -> SharedBytes {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG, status.st_mode & S_IFMT != S_IFDIR {
      return try read(path)
    }
    return try SharedBytes(mapping: path)
  }

  /// The bytes of a file, inflated where it begins as gzip files do.
  ///
  /// - Throws: ``ApusError`` of kind `file`, or `data` for a damaged gzip file.
  static func inflated(contentsOf path: String) throws -> SharedBytes {
    try inflated(contents(of: path), path: path)
  }

  /// Bytes, inflated where they begin as gzip files do.
  ///
  /// - Throws: ``ApusError`` of kind `data` for damaged gzip data.
  static func inflated(_ bytes: SharedBytes, path: String) throws -> SharedBytes {
    guard bytes.bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
    return try withExtendedLifetime(bytes) { try Inflation.gzip(bytes.bytes, path: path) }
  }

  /// Writes bytes to a file, which is made or replaced, or to a device.
  ///
  /// - Throws: ``ApusError`` of kind `file` that names the path and the system's reason.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw ApusError.systemFailure("cannot write", path) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        let error = ApusError.systemFailure("cannot write", path)
        close(descriptor)
        throw error
      }
      written += count
    }
    // Some file systems report a full disk only now.
    guard close(descriptor) == 0 else { throw ApusError.systemFailure("cannot write", path) }
  }

  private static func read(_ path: String) throws -> SharedBytes {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ApusError.systemFailure("cannot open", path) }
    defer { close(descriptor) }
    var region = GrowingRegion(capacity: 1 << 16)
    while true {
      region.reserve(1 << 16)
      let count = Foundation.read(descriptor, region.free.baseAddress, region.free.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        region.deallocate()
        throw ApusError.systemFailure("cannot read", path)
      }
      if count == 0 { return region.finish() }
      region.count += count
    }
  }
}

/// Memory that grows while bytes arrive whose number is not known.
struct GrowingRegion {
  private var start: UnsafeMutableRawPointer
  private var capacity: Int
  /// The number of bytes that hold data.
  var count = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
    start = malloc(self.capacity)
  }

  /// The bytes beyond those that hold data.
  var free: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: start + count, count: capacity - count)
  }

  /// Makes sure that at least `needed` bytes are free.
  mutating func reserve(_ needed: Int) {
    guard capacity - count < needed else { return }
    capacity = max(count + needed, capacity * 2)
    start = realloc(start, capacity)
  }

  /// The bytes as an immutable region; nothing may be written afterwards.
  func finish() -> SharedBytes {
    let start = start
    return SharedBytes(taking: UnsafeRawBufferPointer(start: start, count: count)) {
      Foundation.free(start)
    }
  }

  func deallocate() { Foundation.free(start) }
}
