import ApusParallel

/// Everything that is fixed when a pool is made.
struct PoolSettings: Sendable {
  var executable: String
  var arguments: [String]
  var environment: [String: String]
  var handshake: Handshake
  var fingerprint: String
  var capacity: Capacity
  var jobTimeout: Double?
  var memoryLimit: Int?
  var crashLimit: Int
  var onOutput: @Sendable (_ line: String) -> Void
}
