import ApusParallel
import Foundation

/// Writes whole files so that a reader sees the old one or the new one, never half of one.
package enum AtomicFile {
  /// Writes bytes to a temporary file in the same folder and renames it over the path.
  ///
  /// A path that exists and is not a regular file (a pipe, `/dev/stdout`) is written to directly; a symbolic
  /// link is followed.
  ///
  /// - Throws: ``ApusError`` of kind `file` that names the path and the system's reason.
  package static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    let bytes = Array(bytes)
    switch try destination(of: path) {
    case .special(let path):
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw failure(path) }
      defer { close(descriptor) }
      guard writeAll(bytes, to: descriptor) else { throw failure(path) }
    case .regular(let path):
      let temporary = try makeTemporary(beside: path)
      var written = writeAll(bytes, to: temporary.descriptor) && fsync(temporary.descriptor) == 0
      var reason = errno
      if close(temporary.descriptor) != 0, written { (written, reason) = (false, errno) }
      if written, rename(temporary.path, path) != 0 { (written, reason) = (false, errno) }
      guard written else {
        unlink(temporary.path)
        errno = reason
        throw failure(path)
      }
    }
  }

  /// Checks that a file can be written, before work is done whose result should go there.
  ///
  /// - Throws: ``ApusError`` of kind `file`, as ``write(_:to:)`` would.
  package static func checkWritable(_ path: String) throws {
    switch try destination(of: path) {
    case .special(let path):
      guard access(path, W_OK) == 0 else { throw failure(path) }
    case .regular(let path):
      let temporary = try makeTemporary(beside: path)
      close(temporary.descriptor)
      unlink(temporary.path)
    }
  }

  private enum Destination {
    case regular(String)
    case special(String)
  }

  private static func destination(of path: String) throws -> Destination {
    guard !path.isEmpty else { throw ApusError(.file, "the path of the file to write is empty") }
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else { throw failure(path) }
      return .regular(path)
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw ApusError(.file, "cannot write \(path): it is a folder")
    case S_IFREG:
      guard access(path, W_OK) == 0 else { throw failure(path) }
      guard let resolved = realpath(path, nil) else { throw failure(path) }
      defer { free(resolved) }
      return .regular(String(cString: resolved))
    default: return .special(path)
    }
  }

  private static func makeTemporary(beside path: String) throws -> (path: String, descriptor: Int32) {
    let temporary = "\(path).\(getpid()).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure(path) }
    return (temporary, descriptor)
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var offset = 0
      while offset < bytes.count {
        let count = Foundation.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        offset += count
      }
      return true
    }
  }

  private static func failure(_ path: String) -> ApusError {
    var error = ApusError.systemFailure("cannot write", path)
    if errno == ENOENT { error.hint = "make the folder first: mkdir -p \(folder(of: path))" }
    return error
  }

  private static func folder(of path: String) -> String {
    URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
  }
}
