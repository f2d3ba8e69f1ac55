import Foundation

/// An immutable region of memory with an owner: allocated here, or a file mapped read-only.
///
/// Matrices and other large values stand on regions like this one, so that the same bytes can be shared by
/// every thread, or by every worker process of a host, without a copy.
///
/// Unchecked Sendable: the bytes are never written after `init`, and `release` is called once, by `deinit`.
public final class SharedBytes: @unchecked Sendable {
  /// The bytes; valid as long as this object lives.
  public let bytes: UnsafeRawBufferPointer
  private let release: () -> Void

  /// Takes charge of a region that somebody else made.
  ///
  /// - Parameters:
  ///   - bytes: the region, which must not change any more.
  ///   - release: called once when nobody needs the region any longer.
  public init(taking bytes: UnsafeRawBufferPointer, release: @escaping () -> Void) {
    self.bytes = bytes
    self.release = release
  }

  /// Allocates a region aligned for vector instructions and lets `fill` write it.
  public convenience init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let region = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 64)
    do {
      try fill(UnsafeMutableRawBufferPointer(rebasing: region[..<count]))
    } catch {
      region.deallocate()
      throw error
    }
    self.init(taking: UnsafeRawBufferPointer(rebasing: region[..<count])) { region.deallocate() }
  }

  /// Maps a whole file read-only.
  ///
  /// - Throws: ``ApusError`` of kind `file` that names the path and the system's reason.
  public convenience init(mapping path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ApusError.systemFailure("cannot open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw ApusError.systemFailure("cannot examine", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw ApusError(.file, "\(path) is a folder, not a file")
    }
    let count = Int(status.st_size)
    guard count > 0 else {
      self.init(taking: UnsafeRawBufferPointer(start: nil, count: 0)) {}
      return
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw ApusError.systemFailure("cannot map", path)
    }
    let address = UInt(bitPattern: start)
    self.init(taking: UnsafeRawBufferPointer(start: start, count: count)) {
      munmap(UnsafeMutableRawPointer(bitPattern: address), count)
    }
  }

  deinit { release() }
}

extension ApusError {
  /// The error for a system call on a file that has just failed, with the system's own words.
  public static func systemFailure(_ action: String, _ path: String) -> ApusError {
    let reason = String(cString: strerror(errno))
    return ApusError(.file, "\(action) \(path): \(reason)")
  }
}
