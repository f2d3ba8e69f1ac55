/// The element types of a ``Matrix``: `Double`, and `Float` where a kernel wants half the bytes.
public protocol MatrixScalar: BinaryFloatingPoint, Codable, Sendable, SIMDScalar {
  /// The type's name in stored layouts: `f8` or `f4`.
  static var storageName: String { get }
}

extension Double: MatrixScalar {
  /// Eight bytes.
  public static var storageName: String { "f8" }
}

extension Float: MatrixScalar {
  /// Four bytes.
  public static var storageName: String { "f4" }
}
