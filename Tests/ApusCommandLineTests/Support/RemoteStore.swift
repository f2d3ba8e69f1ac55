import ApusTestSupport
import Foundation
import Testing

/// A real web server or object store with the files of a folder, ended with the value.
final class RemoteStore {
  enum Kind: String { case web, s3, gs }

  /// The interpreter of the environment that `Scripts/install-dask` makes.
  static let python = repositoryRoot.appendingPathComponent(".build/dask/bin/python").path

  /// The address of the folder.
  let address: String
  /// What a reader's environment must hold, the interpreter among it.
  let environment: [String: String]
  private let process = Process()
  private let input = Pipe()

  init(_ kind: Kind, folder: URL) throws {
    struct Place: Decodable {
      var address: String
      var environment: [String: String]
    }
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: Self.python)
    let script = repositoryRoot.appendingPathComponent("Tests/ApusCommandLineTests/Support/stores.py").path
    process.arguments = [script, kind.rawValue, folder.path]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let collected = Collector(reading: output.fileHandleForReading)
    try #require(collected.wait { $0.hasSuffix("\n") }, "no store has come up")
    let place = try JSONDecoder().decode(Place.self, from: Data(collected.text.utf8))
    address = place.address
    environment = place.environment.merging(["APUS_PYTHON": Self.python]) { $1 }
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
