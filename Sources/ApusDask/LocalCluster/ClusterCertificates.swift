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
  /// The authority is valid ten times as long as what it signs, so that ``renew(addingHosts:days:)`` can follow.
  ///
  /// - Parameters:
  ///   - hosts: the names and addresses under which the scheduler and the workers are reached.
  ///   - days: how long the certificates are valid.
  /// - Throws: ``ApusError`` of kind `file` when the folder has certificates already, or `openssl` fails.
  public func make(hosts: [String], days: Int = 365) throws {
    guard !FileManager.default.fileExists(atPath: "\(folder)/authority.key") else {
      throw ApusError(
        .file, "\(folder) has certificates already",
        hint: "name another folder, or remove this one first; --renew makes new ones by its authority")
    }
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try openSSL([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
      "\(days * 10)",
      // Python 3.13 and later want an authority to say that it may sign.
      "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-subj", "/CN=apus cluster authority", "-keyout",
      "\(folder)/authority.key", "-out", "\(folder)/authority.pem",
    ])
    try sign(Self.names(hosts), days: days, into: folder)
  }

  /// Makes new certificates and keys for the scheduler, the workers and the clients, signed by the authority that is in
  /// the folder, in the place of the old ones.
  ///
  /// Whoever still holds an old one is trusted until that one ends, so a cluster changes over while searches run on it.
  ///
  /// - Parameters:
  ///   - hosts: names and addresses beside those of the old certificates.
  ///   - days: how long the new ones are valid.
  /// - Throws: ``ApusError`` of kind `file` when the authority's key is not there, when the authority ends before the
  ///   new certificates would, or when `openssl` fails; the old ones are then still in their place.
  public func renew(addingHosts hosts: [String] = [], days: Int = 365) throws {
    let hint = "make new ones in another folder, for the scheduler, the workers and the clients alike"
    guard FileManager.default.fileExists(atPath: "\(folder)/authority.key") else {
      throw ApusError(.file, "\(folder) has no authority.key, which signs new certificates", hint: hint)
    }
    do {
      try openSSL(["x509", "-in", "\(folder)/authority.pem", "-noout", "-checkend", "\(days * 86_400)"])
    } catch {
      throw ApusError(.file, "the authority in \(folder) is not valid for \(days) more days", hint: hint)
    }
    // The second line has the names: DNS:scheduler, IP Address:127.0.0.1
    let told = try openSSL([
      "x509", "-in", "\(folder)/scheduler.pem", "-noout", "-ext", "subjectAltName",
    ])
    let old = (told.split(separator: "\n").last ?? "").replacing("IP Address:", with: "IP:")
      .split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let names = old + Self.names(hosts).filter { !old.contains($0) }
    let aside = "\(folder)/renewed"
    try? FileManager.default.removeItem(atPath: aside)
    try FileManager.default.createDirectory(
      atPath: aside, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: aside) }
    try sign(names, days: days, into: aside)
    for file in Self.roles.flatMap({ ["\($0).key", "\($0).pem"] }) {
      guard rename("\(aside)/\(file)", "\(folder)/\(file)") == 0 else {
        throw ApusError(.file, "\(folder)/\(file) cannot be replaced: \(String(cString: strerror(errno)))")
      }
    }
  }

  private static let roles = ["scheduler", "worker", "client"]

  /// Hosts as certificates name them.
  private static func names(_ hosts: [String]) -> [String] {
    hosts.map { host in
      // As addresses of schedulers have them.
      let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
      return (isAddress(bare) ? "IP:" : "DNS:") + bare
    }
  }

  /// Makes a key and a certificate for each role.
  private func sign(_ names: [String], days: Int, into target: String) throws {
    let extensions = "\(target)/extensions.cnf"
    try Data("subjectAltName=\(names.joined(separator: ","))\n".utf8).write(
      to: URL(fileURLWithPath: extensions))
    for role in Self.roles {
      let request = "\(target)/\(role).csr"
      try openSSL([
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
        "/CN=apus \(role)", "-keyout", "\(target)/\(role).key", "-out", request,
      ])
      try openSSL([
        "x509", "-req", "-in", request, "-CA", "\(folder)/authority.pem", "-CAkey", "\(folder)/authority.key",
        "-CAcreateserial", "-days", "\(days)", "-extfile", extensions, "-out", "\(target)/\(role).pem",
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

  /// Runs OpenSSL's command.
  ///
  /// - Returns: its output.
  @discardableResult
  private func openSSL(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    let errors = Pipe()
    let output = Pipe()
    process.standardError = errors
    process.standardOutput = output
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ApusError(
        .file, "openssl \(arguments[0]) failed: \(text.split(separator: "\n").last ?? "no reason given")",
        hint: "install the openssl command, and see that \(folder) can be written to")
    }
    return told
  }
}
