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

  /// Makes all files, with OpenSSL's command, in a folder that only this user may read; all of them, or none.
  ///
  /// The authority is valid ten times as long as what it signs, so that ``renew(addingHosts:days:)`` can follow.
  ///
  /// - Parameters:
  ///   - hosts: the names and addresses under which the scheduler and the workers are reached.
  ///   - days: how long the certificates are valid.
  /// - Throws: ``ApusError`` of kind `file` when the folder has certificates already, or other files that others may
  ///   read, or `openssl` fails; of kind `invalidParameter` for hosts and days that cannot be.
  public func make(hosts: [String], days: Int = 365) throws {
    let names = try Self.names(hosts)
    try Self.check(days)
    guard !FileManager.default.fileExists(atPath: "\(folder)/authority.key") else {
      throw ApusError(
        .file, "\(folder) has certificates already",
        hint: "name another folder, or remove this one first; --renew makes new ones by its authority")
    }
    let isNew = try makePrivateFolder()
    do {
      try aside("unfinished") { try make(names, days: days, into: $0) }
    } catch {
      if isNew { rmdir(folder) }
      throw error
    }
  }

  private func make(_ names: [String], days: Int, into target: String) throws {
    try openSSL([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
      "\(days * 10)",
      // Python 3.13 and later want an authority to say that it may sign.
      "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-subj", "/CN=apus cluster authority", "-keyout",
      "\(target)/authority.key", "-out", "\(target)/authority.pem",
    ])
    try sign(names, by: target, days: days, into: target)
    let made = try FileManager.default.contentsOfDirectory(atPath: target)
    // By its presence a folder has certificates: it comes last.
    let last = "authority.key"
    for file in made.filter({ $0 != last }) + [last] { try replace(file, from: target) }
  }

  /// Makes the folder, or sees that nobody else may read what is in it.
  ///
  /// - Returns: whether it is new.
  private func makePrivateFolder() throws -> Bool {
    var status = stat()
    guard stat(folder, &status) == 0 else {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      return true
    }
    guard status.st_mode & 0o077 != 0 else { return false }
    // One with files may be for others to use, who would be shut out.
    guard try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty, chmod(folder, 0o700) == 0
    else {
      throw ApusError(
        .file, "\(folder) is open to others, and keys are to lie in it",
        hint: "name a new folder, or shut this one: chmod 700 \(folder)")
    }
    return false
  }

  /// Gives a folder beside the files, which is gone afterwards.
  private func aside(_ name: String, _ body: (String) throws -> Void) throws {
    let path = "\(folder)/\(name)"
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private func replace(_ file: String, from place: String) throws {
    guard rename("\(place)/\(file)", "\(folder)/\(file)") == 0 else {
      throw ApusError(.file, "\(folder)/\(file) cannot be replaced: \(String(cString: strerror(errno)))")
    }
  }

  /// The longest time that certificates can be valid for; their authority is valid ten times as long.
  private static let mostDays = 36_500

  private static func check(_ days: Int) throws {
    guard (1...mostDays).contains(days) else {
      throw ApusError(
        .invalidParameter, "certificates cannot be valid for \(days) days", hint: "write 1 to \(mostDays)")
    }
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
  ///   new certificates would, or when `openssl` fails, and of kind `invalidParameter` as ``make(hosts:days:)`` does;
  ///   the old ones are then still in their place.
  public func renew(addingHosts hosts: [String] = [], days: Int = 365) throws {
    let more = try Self.names(hosts)
    try Self.check(days)
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
    let names = old + more.filter { !old.contains($0) }
    try aside("renewed") { target in
      try sign(names, by: folder, days: days, into: target)
      for file in Self.roles.flatMap({ ["\($0).key", "\($0).pem"] }) { try replace(file, from: target) }
    }
  }

  private static let roles = ["scheduler", "worker", "client"]

  /// Hosts as certificates name them.
  private static func names(_ hosts: [String]) throws -> [String] {
    try hosts.map { host in
      // As addresses of schedulers have them.
      let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
      if isAddress(bare) { return "IP:" + bare }
      guard bare.count < 254, bare.wholeMatch(of: /[A-Za-z0-9_*][A-Za-z0-9_*.-]*/) != nil else {
        throw ApusError(
          .invalidParameter, "'\(host)' is not the name or address of a host", hint: "give each one by itself"
        )
      }
      return "DNS:" + bare
    }
  }

  /// Makes a key and a certificate for each role, signed by the authority in a folder.
  private func sign(_ names: [String], by place: String, days: Int, into target: String) throws {
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
        "x509", "-req", "-in", request, "-CA", "\(place)/authority.pem", "-CAkey", "\(place)/authority.key",
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
