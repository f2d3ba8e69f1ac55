import Foundation

/// Units in which real numbers become whole ones, so that sums do not depend on the order of the rows.
///
/// A unit is a power of two, so whole numbers and weights such as 0.5 stay what they were; others are rounded
/// in about the fifteenth digit of the largest.
enum FixedPoint {
  /// The unit for weights whose sums shall be exact in a double: the largest total stays below 2^52 units.
  static func weightUnit(largest: Double, drawCount: Int) -> Double {
    powerOfTwo(bitsAbove(largest) + bitsAbove(Double(drawCount)) - 52)
  }

  /// The unit for targets whose sums shall stay below 2^61 in a 64-bit integer.
  static func sumUnit(largest: Double, drawCount: Int) -> Double {
    powerOfTwo(bitsAbove(largest) + bitsAbove(Double(drawCount)) - 61)
  }

  /// The least power of two that is above a magnitude.
  private static func bitsAbove(_ magnitude: Double) -> Int {
    magnitude > 0 && magnitude.isFinite ? Int(magnitude.exponent) + 1 : 0
  }

  private static func powerOfTwo(_ exponent: Int) -> Double {
    scalbn(1, min(1000, max(-1074, exponent)))
  }
}
