import CKernels

/// What a cell means where a number is wanted.
enum NumberCell {
  case number(Double)
  case missing
  case text

  /// Reads a cell: a decimal number with or without an exponent, an infinity, or a missing value.
  ///
  /// The value is the double nearest to the decimal, as `strtod` gives.
  @inline(__always)
  init(_ field: Field, missing: MissingValues) {
    var value = 0.0
    if !missing.hasNumbers, ckernels_read_decimal(field.start, &value) == field.start + field.count {
      self = .number(value)
    } else {
      self.init(unusual: field, missing: missing)
    }
  }

  private init(unusual field: Field, missing: MissingValues) {
    if field.count == 0 || missing.contains(field.bytes) {
      self = .missing
    } else if let value = Self.number(field.bytes) {
      self = .number(value)
    } else {
      self = .text
    }
  }

  private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    var reader = DecimalReader(bytes)
    guard let decimal = reader.read() else { return infinity(bytes) }
    var value = 0.0
    if decimal.isExact, ckernels_scale_decimal(decimal.digits, Int32(clamping: decimal.exponent), &value) {
      return decimal.isNegative ? -value : value
    }
    return Double(String(decoding: bytes, as: UTF8.self))
  }

  private static func infinity(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    guard bytes.count <= 9 else { return nil }
    switch String(decoding: bytes, as: UTF8.self).lowercased() {
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    default: return nil
    }
  }
}

/// Reads `[+-]digits[.digits][e[+-]digits]`.
private struct DecimalReader {
  struct Decimal {
    var isNegative = false
    var digits: UInt64 = 0
    var exponent = 0
    /// Whether every digit that is not zero went into `digits`.
    var isExact = true
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func read() -> Decimal? {
    var decimal = Decimal()
    decimal.isNegative = readSign()
    var digitCount = 0
    var significantCount = 0
    var seenPoint = false
    while index < bytes.count {
      let digit = bytes[index] &- UInt8(ascii: "0")
      if digit < 10 {
        digitCount += 1
        if seenPoint { decimal.exponent -= 1 }
        if significantCount < 19 {
          decimal.digits = decimal.digits * 10 + UInt64(digit)
          if decimal.digits > 0 { significantCount += 1 }
        } else {
          decimal.exponent += 1
          if digit > 0 { decimal.isExact = false }
        }
      } else if bytes[index] == UInt8(ascii: "."), !seenPoint {
        seenPoint = true
      } else {
        break
      }
      index += 1
    }
    guard digitCount > 0 else { return nil }
    if index < bytes.count {
      guard let exponent = readExponent() else { return nil }
      decimal.exponent += exponent
    }
    return decimal
  }

  private mutating func readSign() -> Bool {
    guard let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") else { return false }
    index = 1
    return sign == UInt8(ascii: "-")
  }

  /// The exponent up to the end of the cell; kept below a million, beyond which no double differs.
  private mutating func readExponent() -> Int? {
    guard bytes[index] | 0x20 == UInt8(ascii: "e") else { return nil }
    index += 1
    var isNegative = false
    if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
      isNegative = bytes[index] == UInt8(ascii: "-")
      index += 1
    }
    guard index < bytes.count else { return nil }
    var exponent = 0
    while index < bytes.count {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      exponent = min(exponent * 10 + Int(digit), 1_000_000)
      index += 1
    }
    return isNegative ? -exponent : exponent
  }
}

/// The words that stand for a missing value.
struct MissingValues: Sendable {
  private let words: [[UInt8]]
  // Bit k is set where some word is k bytes long: most cells are told apart by their length alone.
  private let lengths: UInt64
  /// Whether some word, such as `-999`, is a number that would otherwise be taken for one.
  let hasNumbers: Bool

  init(_ words: [String]) {
    self.words = words.map { Array($0.utf8) }
    hasNumbers = words.contains { Double($0).map { !$0.isNaN } ?? false }
    lengths = self.words.reduce(0) { $0 | 1 << UInt64(min($1.count, 63)) }
  }

  @inline(__always)
  func contains(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard lengths >> UInt64(min(bytes.count, 63)) & 1 == 1 else { return false }
    return words.contains { $0.elementsEqual(bytes) }
  }
}
