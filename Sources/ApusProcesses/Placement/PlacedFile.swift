import ApusParallel
import CApusSystem
import Foundation

/// Shared data in a file that every process of this host can map: a table of contents, the header, and the
/// regions, each aligned to 64 bytes.
///
/// The file has no name: it vanishes with the last process that holds it, however that process ends. Workers
/// open it through the descriptor table of the process that placed it.
package final class PlacedFile: Sendable {
  private static let magic: UInt64 = 0x3154_4144_5355_5041  // APUSDAT1
  private let descriptor: Int32

  /// The path under which this host's processes of the same user can open the file.
  package var path: String { "/proc/\(getpid())/fd/\(descriptor)" }
  /// The folder that the file lies in.
  package let folder: String
  /// The file's length in bytes.
  package let byteCount: Int

  /// Writes data to a new file: in `/dev/shm` where it leaves a tenth of the space free, else in the folder for
  /// temporary files.
  ///
  /// - Throws: ``ApusError`` of kind `file` when neither has the space, or writing fails.
  package init(_ layout: SharedLayout, folders: [String] = PlacedFile.defaultFolders) throws {
    var offset = 8 * (3 + 2 * layout.regions.count) + layout.header.count
    var table: [UInt64] = [Self.magic, UInt64(layout.header.count), UInt64(layout.regions.count)]
    var places: [Int] = []
    for region in layout.regions {
      offset = (offset + 63) / 64 * 64
      places.append(offset)
      table += [UInt64(offset), UInt64(region.bytes.count)]
      offset += region.bytes.count
    }
    byteCount = offset
    let needed = offset
    guard let folder = folders.first(where: { Self.freeBytes(in: $0) * 9 / 10 >= needed }) else {
      throw ApusError(
        .file, "there is no room for \(needed) bytes of shared data in \(folders.joined(separator: " or "))",
        hint: "free some space, or set TMPDIR to a folder with more of it")
    }
    self.folder = folder
    descriptor = try Self.open(in: folder)
    try table.withUnsafeBytes { try write($0, at: 0) }
    try layout.header.withUnsafeBytes { try write($0, at: 8 * table.count) }
    for (region, place) in zip(layout.regions, places) { try write(region.bytes, at: place) }
    guard ftruncate(descriptor, off_t(needed)) == 0 else {
      throw ApusError.systemFailure("cannot set the length of a file in", folder)
    }
  }

  deinit { close(descriptor) }

  /// `/dev/shm`, then the folder for temporary files.
  package static var defaultFolders: [String] {
    ["/dev/shm", ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"]
  }

  /// Reads the layout of a placed file, sharing its mapped bytes.
  ///
  /// - Throws: ``ApusError`` of kind `file` or `format`.
  package static func layout(mapping path: String) throws -> SharedLayout {
    let file = try SharedBytes(mapping: path)
    let bytes = file.bytes
    func word(_ index: Int) throws -> Int {
      guard (index + 1) * 8 <= bytes.count else { throw damaged(path) }
      return Int(clamping: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    }
    guard try word(0) == Int(magic) else { throw damaged(path) }
    let (headerCount, regionCount) = (try word(1), try word(2))
    guard regionCount <= bytes.count / 16 else { throw damaged(path) }
    let headerStart = 8 * (3 + 2 * regionCount)
    guard headerStart <= bytes.count, headerCount <= bytes.count - headerStart else { throw damaged(path) }
    let regions = try (0..<regionCount).map { index -> SharedBytes in
      let (start, count) = (try word(3 + 2 * index), try word(4 + 2 * index))
      guard count <= bytes.count, start <= bytes.count - count else { throw damaged(path) }
      return SharedBytes(taking: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])) { _ = file }
    }
    let header = withExtendedLifetime(file) { Array(bytes[headerStart..<headerStart + headerCount]) }
    return SharedLayout(header: header, regions: regions)
  }

  private static func damaged(_ path: String) -> ApusError {
    ApusError(.format, "\(path) is not a file of shared data")
  }

  private static func freeBytes(in folder: String) -> Int {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return 0 }
    return Int(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
  }

  private static func open(in folder: String) throws -> Int32 {
    let unnamed = capus_unnamed_file(folder)
    if unnamed >= 0 { return unnamed }
    // Not every file system has unnamed files: take one and its name away at once.
    var template = Array((folder + "/apus-XXXXXX").utf8CString)
    let named = mkstemp(&template)
    guard named >= 0 else { throw ApusError.systemFailure("cannot make a file in", folder) }
    unlink(template)
    _ = fcntl(named, F_SETFD, FD_CLOEXEC)
    return named
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var written = 0
    while written < bytes.count {
      let count = pwrite(
        descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written, off_t(offset + written))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw ApusError.systemFailure("cannot write shared data in", folder) }
      written += count
    }
  }
}
