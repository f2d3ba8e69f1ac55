import CLibcrypto

/// A SHA-256 digest: the name by which data is known to backends, studies and caches.
public struct Digest: Hashable, Sendable, Codable {
  /// The digest as 64 lowercase hexadecimal digits.
  public let hexadecimal: String

  /// Takes a digest that was written as hexadecimal digits; nil when it is not one.
  public init?(hexadecimal: String) {
    let digits = hexadecimal.utf8
    guard digits.count == 64, digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
      return nil
    }
    self.hexadecimal = hexadecimal
  }

  /// The digest of some bytes.
  public init(of bytes: some Sequence<UInt8>) {
    var hasher = DigestHasher()
    Array(bytes).withUnsafeBytes { hasher.update($0) }
    self = hasher.finish()
  }

  fileprivate init(bytes: [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    hexadecimal = String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension Digest: CustomStringConvertible {
  /// The first twelve hexadecimal digits: enough to tell data apart in a message.
  public var description: String { String(hexadecimal.prefix(12)) }
}

/// Computes a ``Digest`` piece by piece, by OpenSSL's SHA-256.
public struct DigestHasher: ~Copyable {
  private let context: OpaquePointer

  /// A hasher that has seen no bytes.
  public init() {
    context = EVP_MD_CTX_new()
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes more bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// Takes a length and then the bytes, so that a sequence of parts cannot be cut in two ways.
  public mutating func updateWithLength(_ bytes: UnsafeRawBufferPointer) {
    withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { update($0) }
    update(bytes)
  }

  /// The digest of all bytes taken; the hasher is used up.
  public consuming func finish() -> Digest {
    var bytes = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &bytes, nil)
    return Digest(bytes: bytes)
  }
}
