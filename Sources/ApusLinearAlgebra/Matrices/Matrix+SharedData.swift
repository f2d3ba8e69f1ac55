import ApusParallel
import Foundation

extension Matrix: SharedData {
  /// `matrix-f8` or `matrix-f4`.
  public static var typeName: String { "matrix-\(Scalar.storageName)" }

  /// The digest of shape and elements.
  ///
  /// - Complexity: one pass over the elements; keep it where it is asked for often.
  public var digest: Digest { layout().digest(typeName: Self.typeName) }

  /// The shape as two numbers of eight bytes, and the elements as one region that is not copied.
  public func layout() -> SharedLayout {
    let shape = [Int64(rowCount).littleEndian, Int64(columnCount).littleEndian]
    return SharedLayout(header: shape.withUnsafeBytes { Array($0) }, regions: [sharedElements])
  }

  /// Makes a matrix that shares the elements of a layout.
  ///
  /// - Throws: ``ApusError`` of kind `format` when the layout is not one of such a matrix.
  public init(layout: SharedLayout) throws {
    guard layout.header.count == 16, layout.regions.count == 1 else {
      throw ApusError(.format, "not the layout of a \(Self.typeName)")
    }
    let shape = layout.header.withUnsafeBytes { bytes in
      (0..<2).map { Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self))) }
    }
    let (count, overflow) = shape[0].multipliedReportingOverflow(by: shape[1])
    let region = layout.regions[0]
    guard shape[0] >= 0, shape[1] >= 0, !overflow,
      count.multipliedReportingOverflow(by: MemoryLayout<Scalar>.stride) == (region.bytes.count, false)
    else {
      throw ApusError(
        .format,
        "\(region.bytes.count) bytes are not the elements of a \(shape[0]) × \(shape[1]) \(Self.typeName)")
    }
    try self.init(rowCount: shape[0], columnCount: shape[1], sharing: region)
  }

  /// The elements as a region that shares this matrix's memory and keeps it.
  public var sharedElements: SharedBytes {
    let storage = storage
    // A later write to this matrix finds its storage shared with the region and copies it first.
    return withUnsafeElements { elements in
      SharedBytes(taking: UnsafeRawBufferPointer(elements)) { withExtendedLifetime(storage) {} }
    }
  }
}

extension Matrix {
  /// A matrix whose elements are a file's bytes, mapped read-only: nothing is read until it is used, and
  /// processes of one host share the memory.
  ///
  /// - Parameters:
  ///   - path: a file of little-endian elements, row by row.
  ///   - rowCount: the number of rows.
  ///   - columnCount: the number of columns.
  ///   - byteOffset: where in the file the first element stands; a multiple of the element's size.
  /// - Throws: ``ApusError`` of kind `file` when the file cannot be mapped, of kind `shape` when it is too
  ///   short or the offset does not fit.
  public init(mapping path: String, rowCount: Int, columnCount: Int, byteOffset: Int = 0) throws {
    let bytes = try SharedBytes(mapping: path)
    do {
      try self.init(rowCount: rowCount, columnCount: columnCount, sharing: bytes, byteOffset: byteOffset)
    } catch var error as ApusError {
      error.location = ApusError.Location(file: path)
      throw error
    }
  }
}
