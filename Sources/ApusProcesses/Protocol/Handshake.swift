import ApusParallel
import Foundation

/// What each side of a connection says about itself before any job is sent.
package struct Handshake: Codable, Sendable, Equatable {
  /// The version of the protocol.
  package var version: UInt32
  /// The SHA-256 digest of the executable.
  package var executable: String
  /// The wire names of the job types that the executable can run.
  package var wireNames: [String]
  /// The process.
  package var pid: Int32

  package init(version: UInt32, executable: String, wireNames: [String], pid: Int32) {
    self.version = version
    self.executable = executable
    self.wireNames = wireNames
    self.pid = pid
  }

  /// Why a worker that says this of itself cannot serve a pool: a table of both sides; nil when it can.
  ///
  /// A worker may know more job types than the pool asks for.
  package func refusal(ofWorker worker: Handshake) -> String? {
    let missing = wireNames.filter { !worker.wireNames.contains($0) }
    guard version != worker.version || executable != worker.executable || !missing.isEmpty else { return nil }
    var rows = [("", "pool", "worker")]
    rows.append(("protocol version", "\(version)", "\(worker.version)"))
    rows.append(("executable", String(executable.prefix(12)), String(worker.executable.prefix(12))))
    for name in Set(wireNames + worker.wireNames).sorted() {
      rows.append(
        (
          "job \(name)", wireNames.contains(name) ? "yes" : "no",
          worker.wireNames.contains(name) ? "yes" : "no"
        ))
    }
    let widths = (rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0)
    let table = rows.map { row in
      "  " + row.0.padding(toLength: widths.0 + 2, withPad: " ", startingAt: 0)
        + row.1.padding(toLength: widths.1 + 2, withPad: " ", startingAt: 0) + row.2
    }
    return "the worker does not fit the pool\n" + table.joined(separator: "\n")
  }
}

/// The identity of an executable file.
package enum Executable {
  /// The file of the running program.
  package static let ownPath: String = {
    let link = "/proc/self/exe"
    // A program that was rebuilt while it runs is still there under the link, but no longer under its name.
    guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
      FileManager.default.isExecutableFile(atPath: path)
    else { return link }
    return path
  }()

  /// The SHA-256 digest of a file's bytes.
  ///
  /// - Throws: ``ApusError`` of kind `file`.
  package static func digest(of path: String) throws -> String {
    var hasher = DigestHasher()
    let file = try SharedBytes(mapping: path)
    withExtendedLifetime(file) { hasher.update(file.bytes) }
    return hasher.finish().hexadecimal
  }

  /// Facts about a file that change when it is replaced; so a worker need not hash a file that its pool has
  /// just hashed.
  package static func fingerprint(of path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return "" }
    return
      "\(status.st_dev)-\(status.st_ino)-\(status.st_size)-\(status.st_mtim.tv_sec)-\(status.st_mtim.tv_nsec)"
  }
}
