/// A large value that jobs use by reference: placed once where the jobs run, never sent with each job.
///
/// A conforming type lays itself out as a small header and raw, aligned regions, from which it can be made
/// again without parsing; ``Digest`` names the layout.
public protocol SharedData: Sendable {
  /// The type's stable name in messages and digests, chosen by hand.
  static var typeName: String { get }

  /// The SHA-256 digest of the type's name, the header and every region.
  ///
  /// Types that are asked often should keep the digest; ``SharedLayout/digest(typeName:)`` computes it.
  var digest: Digest { get }

  /// The value as a header and regions; regions share memory with the value where they can.
  func layout() -> SharedLayout

  /// Makes the value from its layout, sharing the regions' memory.
  ///
  /// - Throws: ``ApusError`` of kind `format` when the layout is not one of this type.
  init(layout: SharedLayout) throws
}

/// A value laid out for sharing: a small header and large raw regions.
public struct SharedLayout: Sendable {
  /// Names, shapes and other small facts, in an encoding of the type's choice.
  public var header: [UInt8]
  /// Large arrays, each aligned to 64 bytes where it is mapped.
  public var regions: [SharedBytes]

  /// Creates a layout.
  public init(header: [UInt8], regions: [SharedBytes]) {
    self.header = header
    self.regions = regions
  }

  /// The digest of a layout: SHA-256 over the type's name, the header and the regions, each with its length.
  ///
  /// - Complexity: one pass over all bytes.
  public func digest(typeName: String) -> Digest {
    var hasher = DigestHasher()
    Array(typeName.utf8).withUnsafeBytes { hasher.updateWithLength($0) }
    header.withUnsafeBytes { hasher.updateWithLength($0) }
    for region in regions { hasher.updateWithLength(region.bytes) }
    return hasher.finish()
  }
}

/// Names data that was put on a backend, for jobs to carry in its place.
public struct DataReference<Value: SharedData>: Hashable, Sendable, Codable {
  /// The digest of the data.
  public let digest: Digest

  /// Refers to data by its digest.
  public init(digest: Digest) { self.digest = digest }
}
