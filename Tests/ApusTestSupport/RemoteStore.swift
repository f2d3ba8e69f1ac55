import Foundation
import Testing

/// A real web server or object store with the files of a folder, ended with the value.
public final class RemoteStore {
  /// What it is: a web server, or a store with the protocol of Amazon's or of Google's.
  public enum Kind: String, Sendable { case web, s3, gs }

  /// The interpreter of the environment that `Scripts/install-dask` makes.
  public static let python = repositoryRoot.appendingPathComponent(".build/dask/bin/python").path

  /// The address of the folder.
  public let address: String
  /// What a reader's environment must say of the store.
  public let settings: [String: String]
  /// The same for readers on this machine, with the interpreter that reads.
  public var environment: [String: String] { settings.merging(["APUS_PYTHON": Self.python]) { $1 } }
  private let process = Process()
  private let input = Pipe()

  /// Starts the store.
  ///
  /// - Parameters:
  ///   - kind: what it is.
  ///   - folder: what is in it.
  public init(_ kind: Kind, folder: URL) throws {
    struct Place: Decodable {
      var address: String
      var environment: [String: String]
    }
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: Self.python)
    let script = repositoryRoot.appendingPathComponent("Tests/ApusTestSupport/stores.py").path
    process.arguments = [script, kind.rawValue, folder.path]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let collected = Collector(reading: output.fileHandleForReading)
    try #require(collected.wait { $0.hasSuffix("\n") }, "no store has come up")
    let place = try JSONDecoder().decode(Place.self, from: Data(collected.text.utf8))
    address = place.address
    settings = place.environment
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
