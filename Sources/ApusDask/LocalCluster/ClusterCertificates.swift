import ApusParallel
import Foundation

/// A folder of certificates for a small team: an authority of its own, and a certificate each for the scheduler, the
/// workers and the clients, signed by it.
///
/// Who has the folder's `client.pem` and `client.key` can run any program on the cluster; who has `authority.key`
/// can make more of them.
public struct ClusterCertificates: Sendable {
  /// Where the files lie.
  public let folder: String

  /// Names a folder.
  public init(folder: String) { self.folder = folder }

  /// The files of a client.
  public var security: ClusterSecurity {
    ClusterSecurity(
      authority: "\(folder)/authority.pem", certificate: "\(folder)/client.pem", key: "\(folder)/client.key")
  }

  /// Makes all files, with OpenSSL's command, in a folder that only this user may read.
  ///
  /// - Parameters:
  ///   - hosts: the names and addresses under which the scheduler and the workers are reached.
  ///   - days: how long the certificates are valid.
  /// - Throws: ``ApusError`` of kind `file` when the folder has certificates already, or `openssl` fails.
  public func make(hosts: [String], days: Int = 365) throws {
    guard !FileManager.default.fileExists(atPath: "\(folder)/authority.key") else {
      throw ApusError(
        .file, "\(folder) has certificates already", hint: "name another folder, or remove this one first")
    }
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try openSSL([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
      "\(days)",
      // Python 3.13 and later want an authority to say that it may sign.
      "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-subj", "/CN=apus cluster authority", "-keyout",
      "\(folder)/authority.key", "-out", "\(folder)/authority.pem",
    ])
    let names = hosts.map { host in
      // As addresses of schedulers have them.
      let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
      return (Self.isAddress(bare) ? "IP:" : "DNS:") + bare
    }
    let extensions = "\(folder)/extensions.cnf"
    try Data("subjectAltName=\(names.joined(separator: ","))\n".utf8).write(
      to: URL(fileURLWithPath: extensions))
    for role in ["scheduler", "worker", "client"] {
      let request = "\(folder)/\(role).csr"
      try openSSL([
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
        "/CN=apus \(role)", "-keyout", "\(folder)/\(role).key", "-out", request,
      ])
      try openSSL([
        "x509", "-req", "-in", request, "-CA", "\(folder)/authority.pem", "-CAkey", "\(folder)/authority.key",
        "-CAcreateserial", "-days", "\(days)", "-extfile", extensions, "-out", "\(folder)/\(role).pem",
      ])
      try FileManager.default.removeItem(atPath: request)
    }
    try FileManager.default.removeItem(atPath: extensions)
  }

  /// Whether a name is an address, of either version of the Internet Protocol.
  private static func isAddress(_ name: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
  }

  private func openSSL(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ApusError(
        .file, "openssl \(arguments[0]) failed: \(text.split(separator: "\n").last ?? "no reason given")",
        hint: "install the openssl command, and see that \(folder) can be written to")
    }
  }
}
