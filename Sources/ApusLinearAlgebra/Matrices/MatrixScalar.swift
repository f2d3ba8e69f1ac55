/// The element types of a ``Matrix``: `Double`, and `Float` where a kernel wants half the bytes.
public protocol MatrixScalar: BinaryFloatingPoint, Codable, Sendable, SIMDScalar {
  /// BLAS and LAPACK for this type.
  associatedtype Routines: LinearAlgebraRoutines where Routines.Scalar == Self

  /// The type's name in stored layouts: `f8` or `f4`.
  static var storageName: String { get }
}

extension Double: MatrixScalar {
  /// BLAS and LAPACK in double precision.
  public typealias Routines = DoublePrecision

  /// Eight bytes.
  public static var storageName: String { "f8" }
}

extension Float: MatrixScalar {
  /// BLAS and LAPACK in single precision.
  public typealias Routines = SinglePrecision

  /// Four bytes.
  public static var storageName: String { "f4" }
}
