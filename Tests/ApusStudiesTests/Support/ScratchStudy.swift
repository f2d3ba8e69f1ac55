import Foundation

/// A path for a study that is removed with everything beside it.
final class ScratchStudy: Sendable {
  let folder: URL
  var path: String { folder.appendingPathComponent("sweep.sqlite").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-study-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The bytes of the file.
  func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  /// The names of all files in the folder.
  var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() }
}
