/// A point in a tree of seeds: the root of everything random about one piece of work.
///
/// Children are derived by hashing, never by drawing numbers in order, so a fold, a tree or a node has the
/// same random numbers whatever ran before or beside it:
///
/// ```swift
/// let search = Seed(7)
/// let fold = search.derived("fold", 3)
/// var random = fold.derived("tree", 12).randomSource()
/// ```
public struct Seed: Hashable, Sendable, Codable {
  /// The 64 bits of the seed.
  public let value: UInt64

  /// Creates a root seed.
  public init(_ value: UInt64) { self.value = value }

  /// The seed of a named, numbered part of the work that this seed stands for.
  public func derived(_ label: StaticString, _ index: Int = 0) -> Seed {
    let labelHash = label.withUTF8Buffer { Self.hash($0) }
    return Seed(Self.mix(Self.mix(value, labelHash), UInt64(bitPattern: Int64(index))))
  }

  /// The seed of a part of the work that is known by a text, such as an estimator's name.
  public func derived(named name: String) -> Seed {
    var name = name
    return Seed(Self.mix(value, name.withUTF8 { Self.hash($0) }))
  }

  /// The seed of a numbered child, for hot paths such as the nodes of a tree.
  @inlinable
  public func derived(_ index: UInt64) -> Seed { Seed(Self.mix(value, index)) }

  /// A generator that starts at this seed.
  @inlinable
  public func randomSource() -> RandomSource { RandomSource(seed: self) }

  /// Hashes a parent and a child number into 64 well-mixed bits.
  @inlinable
  static func mix(_ parent: UInt64, _ child: UInt64) -> UInt64 {
    let turned = (parent << 27 | parent >> 37) &* 0x9E37_79B9_7F4A_7C15
    return finalize(turned ^ finalize(child &+ 0x9E37_79B9_7F4A_7C15))
  }

  /// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a bijection in which every input bit reaches
  /// every output bit.
  @inlinable
  static func finalize(_ bits: UInt64) -> UInt64 {
    var bits = bits
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// FNV-1a over bytes; labels are short and ``mix(_:_:)`` spreads the result.
  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}
