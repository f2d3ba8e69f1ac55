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
