import Apus

/// A size of memory as people write it: `800MB`, `2GB`, `1.5GiB`, or a number of bytes.
struct ByteCount: Equatable {
  let bytes: Int

  private static let units: [(suffix: String, factor: Double)] = [
    ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9),
    ("k", 1e3), ("m", 1e6), ("g", 1e9), ("b", 1),
  ]

  /// Reads a size.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  init(_ text: String) throws {
    var number = text.lowercased()
    var factor = 1.0
    if let unit = Self.units.first(where: { number.hasSuffix($0.suffix) }) {
      number.removeLast(unit.suffix.count)
      factor = unit.factor
    }
    guard let value = Double(number), value > 0, value * factor < 1e18 else {
      throw ApusError(
        .invalidParameter, "'\(text)' is not a size of memory", hint: "write 500MB, 2GB or 1.5GiB")
    }
    bytes = Int(value * factor)
  }
}
