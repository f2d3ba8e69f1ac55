import ApusParallel
import Foundation

/// The files with which a client proves who it is to a scheduler that speaks TLS, and knows the scheduler.
public struct ClusterSecurity: Sendable, Hashable {
  /// The certificate of the authority that signed all others, in PEM.
  public var authority: String
  /// The client's certificate, in PEM.
  public var certificate: String
  /// The client's private key, in PEM.
  public var key: String

  /// Names the three files.
  public init(authority: String, certificate: String, key: String) {
    self.authority = authority
    self.certificate = certificate
    self.key = key
  }
}

extension ClusterSecurity {
  /// Sees that the files are there.
  ///
  /// - Throws: ``ApusError`` of kind `file` that names the first that cannot be read.
  func check() throws {
    for path in [authority, certificate, key] {
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw ApusError(
          .file, "the certificate or key \(path) cannot be read: \(String(cString: strerror(errno)))",
          hint: "name the folder that 'apus cluster certs' has made")
      }
      close(descriptor)
    }
  }
}
