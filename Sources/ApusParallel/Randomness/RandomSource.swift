import Foundation

/// The pseudo-random generator of Apus: xoshiro256++ (Blackman and Vigna, 2021), seeded through SplitMix64.
///
/// It is small, fast, the same on every platform, and good enough for sampling; it is not for cryptography.
/// The methods here are used in place of the standard library's `random(in:using:)`, whose algorithm may
/// change between Swift releases and with it the results of a seed.
public struct RandomSource: RandomNumberGenerator, Sendable {
  @usableFromInline var s0: UInt64
  @usableFromInline var s1: UInt64
  @usableFromInline var s2: UInt64
  @usableFromInline var s3: UInt64

  /// Creates a generator whose sequence is fixed by a seed.
  @inlinable
  public init(seed: Seed) {
    var state = seed.value
    func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      return Seed.finalize(state)
    }
    s0 = next()
    s1 = next()
    s2 = next()
    s3 = next()
  }

  /// The next 64 random bits.
  @inlinable
  public mutating func next() -> UInt64 {
    let sum = s0 &+ s3
    let result = (sum << 23 | sum >> 41) &+ s0
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = s3 << 45 | s3 >> 19
    return result
  }

  /// A uniform integer in `0 ..< bound`, without bias (Lemire, 2019).
  ///
  /// - Precondition: `bound > 0`.
  @inlinable
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "the bound of a random integer must be positive")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// A uniform integer from one bound to another, both included.
  ///
  /// - Precondition: `low <= high`.
  package mutating func integer(from low: Int, to high: Int) -> Int {
    let span = UInt(bitPattern: high &- low)
    if span < UInt(Int.max) { return low + integer(below: Int(span) + 1) }
    // At least every other number of 64 bits is one of these.
    while true {
      let offset = UInt(next())
      if offset <= span { return low &+ Int(bitPattern: offset) }
    }
  }

  /// A uniform number in `[0, 1)` with 53 random bits.
  @inlinable
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A standard normal number, by the polar method of Marsaglia.
  public mutating func normal() -> Double {
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let square = u * u + v * v
      if square > 0, square < 1 { return u * (-2 * log(square) / square).squareRoot() }
    }
  }

  /// Shuffles elements in place, every order equally likely (Fisher and Yates).
  @inlinable
  public mutating func shuffle<Elements: MutableCollection & RandomAccessCollection>(
    _ elements: inout Elements
  ) where Elements.Index == Int {
    let start = elements.startIndex
    var remaining = elements.count
    while remaining > 1 {
      let chosen = integer(below: remaining)
      remaining -= 1
      elements.swapAt(start + chosen, start + remaining)
    }
  }

  /// The numbers `0 ..< count` in random order.
  @inlinable
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    shuffle(&order)
    return order
  }
}
