import ApusParallel

/// The header of a NumPy array file: the type of its elements, their order and the array's shape.
///
/// Versions 1 to 3 of the format, as `numpy/lib/format.py` defines them.
struct NPYHeader: Equatable {
  /// The type of the elements.
  enum Kind: Character, Sendable {
    case floating = "f"
    case signed = "i"
    case unsigned = "u"
    case boolean = "b"
    /// Text of four bytes a character.
    case unicode = "U"
    /// Text of a byte a character.
    case bytes = "S"
  }

  var kind: Kind
  /// Bytes an element.
  var size: Int
  var isBigEndian: Bool
  /// Whether the first index runs fastest.
  var isFortranOrder: Bool
  var shape: [Int]
  /// Where the elements begin.
  var dataOffset: Int

  /// The number of elements.
  var count: Int { shape.reduce(1, *) }

  static let magic = [0x93] + Array("NUMPY".utf8)

  /// Reads a header.
  ///
  /// - Throws: ``ApusError`` of kind `data` that says what was found.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    let location = ApusError.Location(file: path)
    guard bytes.count >= 10, bytes.starts(with: Self.magic) else {
      throw ApusError(.data, "the file does not begin as a NumPy array file does", at: location)
    }
    let version = bytes[6]
    guard (1...3).contains(version), version == 1 || bytes.count >= 12 else {
      throw ApusError(.data, "version \(version) of the NumPy array format is not known", at: location)
    }
    let length: Int
    if version == 1 {
      length = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
      dataOffset = 10 + length
    } else {
      length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
      dataOffset = 12 + length
    }
    guard dataOffset <= bytes.count else {
      throw ApusError(.data, "the file ends within its header", at: location)
    }
    let text = String(decoding: bytes[(dataOffset - length)..<dataOffset], as: UTF8.self)
    guard let descriptor = Self.value(of: "descr", in: text),
      let order = Self.value(of: "fortran_order", in: text),
      let shape = Self.value(of: "shape", in: text).flatMap(Self.tuple)
    else { throw ApusError(.data, "the header \"\(text.prefix(80))\" cannot be read", at: location) }
    guard let (kind, size, isBigEndian) = Self.elementType(descriptor) else {
      throw ApusError(
        .data, "arrays of type \(descriptor) cannot be read",
        hint: "save it as numbers: array.astype('f8')", at: location)
    }
    self.kind = kind
    self.size = size
    self.isBigEndian = isBigEndian
    isFortranOrder = order == "True"
    self.shape = shape
    try checkLength(available: bytes.count - dataOffset, location: location)
  }

  private func checkLength(available: Int, location: ApusError.Location) throws {
    var count = size
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow else { throw ApusError(.data, "the shape \(shape) is too large", at: location) }
      count = product
    }
    guard count <= available else {
      throw ApusError(
        .data, "the array \(shape) needs \(count) bytes, but the file has \(available) after its header",
        hint: "it was cut: write it again", at: location)
    }
  }

  /// The value of a key of the dictionary that the header is, as Python writes it.
  private static func value(of key: String, in text: String) -> String? {
    guard let keyRange = text.firstRange(of: "'\(key)':") else { return nil }
    let rest = text[keyRange.upperBound...].drop { $0 == " " }
    guard let first = rest.first else { return nil }
    switch first {
    case "'": return String(rest.dropFirst().prefix { $0 != "'" })
    case "(": return String(rest.dropFirst().prefix { $0 != ")" })
    case "[": return String(rest.prefix { $0 != "]" }) + "]"
    default: return String(rest.prefix { $0 != "," && $0 != "}" })
    }
  }

  private static func tuple(_ text: String) -> [Int]? {
    let parts = text.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    let numbers = parts.compactMap { Int($0) }.filter { $0 >= 0 }
    return numbers.count == parts.count ? numbers : nil
  }

  private static func elementType(_ descriptor: String) -> (Kind, size: Int, isBigEndian: Bool)? {
    var rest = descriptor[...]
    var isBigEndian = false
    if let first = rest.first, "<>|=".contains(first) {
      isBigEndian = first == ">"
      rest = rest.dropFirst()
    }
    guard let letter = rest.popFirst(), let kind = Kind(rawValue: letter), let number = Int(rest), number > 0
    else { return nil }
    let sizes: [Int]
    switch kind {
    case .floating: sizes = [4, 8]
    case .signed, .unsigned: sizes = [1, 2, 4, 8]
    case .boolean: sizes = [1]
    case .unicode:
      let (size, overflow) = number.multipliedReportingOverflow(by: 4)
      return overflow ? nil : (kind, size, isBigEndian)
    case .bytes: return (kind, number, isBigEndian)
    }
    return sizes.contains(number) ? (kind, number, isBigEndian) : nil
  }
}
