import ApusTestSupport
import Foundation

/// Writes bytes to a file of its own, lends its path, and removes it.
func withTemporaryFile<Result>(
  _ bytes: some Sequence<UInt8>, extension suffix: String, _ body: (String) throws -> Result
) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).\(suffix)")
  try Data(bytes).write(to: url)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

/// The path of a file that `make_data.py` wrote.
func goldenPath(_ name: String) -> String {
  Golden.folder.appendingPathComponent("data/\(name)").path
}

/// The bytes of a file that `make_data.py` wrote.
func goldenBytes(_ name: String) throws -> [UInt8] {
  try Array(Data(contentsOf: URL(fileURLWithPath: goldenPath(name))))
}
