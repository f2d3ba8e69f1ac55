import ApusParallel
import Foundation

extension Matrix: Codable {
  private enum CodingKeys: String, CodingKey { case rowCount, columnCount, scalar, elements }

  /// Writes the shape and the elements as base64 of their little-endian bytes: exact, and a third the size of
  /// decimal digits.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rowCount, forKey: .rowCount)
    try container.encode(columnCount, forKey: .columnCount)
    try container.encode(Scalar.storageName, forKey: .scalar)
    let bytes = withUnsafeElements { Data(buffer: $0) }
    try container.encode(bytes.base64EncodedString(), forKey: .elements)
  }

  /// Reads what ``encode(to:)`` wrote.
  ///
  /// - Throws: `DecodingError` when the shape, the scalar type and the bytes do not fit together.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let rowCount = try container.decode(Int.self, forKey: .rowCount)
    let columnCount = try container.decode(Int.self, forKey: .columnCount)
    let scalar = try container.decode(String.self, forKey: .scalar)
    let text = try container.decode(String.self, forKey: .elements)
    let (count, overflow) = rowCount.multipliedReportingOverflow(by: columnCount)
    guard rowCount >= 0, columnCount >= 0, !overflow, scalar == Scalar.storageName,
      let bytes = Data(base64Encoded: text), bytes.count == count * MemoryLayout<Scalar>.stride
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .elements, in: container,
        debugDescription: "not the elements of a \(rowCount) × \(columnCount) matrix of \(Scalar.self)")
    }
    self.init(rowCount: rowCount, columnCount: columnCount) { elements in
      _ = bytes.copyBytes(to: elements)
    }
  }
}
