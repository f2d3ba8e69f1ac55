import ApusLinearAlgebra
import ApusParallel
import Foundation

extension Matrix where Scalar == Double {
  /// The matrix as the bytes of a NumPy `.npy` file, version 1.
  ///
  /// The elements begin at a multiple of 64 bytes, so that a reader can use them where they lie.
  public var npyBytes: [UInt8] {
    var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(rowCount), \(columnCount)), }"
    let unpadded = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    var bytes = NPYHeader.magic + [1, 0]
    withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { bytes += $0 }
    bytes += header.utf8
    withUnsafeElements { bytes += UnsafeRawBufferPointer($0) }
    return bytes
  }

  /// Writes the matrix as a NumPy `.npy` file.
  ///
  /// - Throws: ``ApusError`` of kind `file`.
  public func write(npy path: String) throws { try FileBytes.write(npyBytes, to: path) }
}
