import Foundation

/// An array of fixed-size numbers that is stored as base64 of its little-endian bytes: exact and compact.
///
/// Models keep their large arrays in it, so that a saved forest is not a list of decimal digits.
public struct PackedArray<Element: BitwiseCopyable & Sendable>: Sendable {
  /// The elements.
  public var elements: [Element]

  /// Wraps an array.
  public init(_ elements: [Element]) { self.elements = elements }
}

extension PackedArray: Codable {
  /// Writes the bytes as base64.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(elements.withUnsafeBytes { Data($0) }.base64EncodedString())
  }

  /// Reads what ``encode(to:)`` wrote.
  ///
  /// - Throws: `DecodingError` when the text is not base64 of whole elements.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let stride = MemoryLayout<Element>.stride
    guard let bytes = Data(base64Encoded: try container.decode(String.self)), bytes.count % stride == 0 else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a packed array")
    }
    elements = Array(unsafeUninitializedCapacity: bytes.count / stride) { buffer, count in
      count = bytes.copyBytes(to: buffer) / stride
    }
  }
}

extension PackedArray: Equatable where Element: Equatable {}
