import ApusParallel

/// The elements of one or more matrices: memory of its own that may be written while nobody shares it, or a
/// region that somebody else keeps, such as a mapped file, that may only be read.
///
/// Unchecked Sendable: `Matrix` writes through `base` only while it holds the sole reference (copy on write),
/// and never when `owner` is there.
@usableFromInline
final class MatrixStorage<Scalar: MatrixScalar>: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutablePointer<Scalar>
  @usableFromInline let count: Int
  @usableFromInline let owner: SharedBytes?

  /// Allocates `count` uninitialised elements, aligned to 64 bytes for vector instructions.
  @usableFromInline
  init(count: Int) {
    let region = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * MemoryLayout<Scalar>.stride, alignment: 64)
    base = region.bindMemory(to: Scalar.self, capacity: max(1, count))
    self.count = count
    owner = nil
  }

  /// Reads the elements from a region that `owner` keeps.
  init(reading start: UnsafePointer<Scalar>, count: Int, owner: SharedBytes) {
    base = UnsafeMutablePointer(mutating: start)
    self.count = count
    self.owner = owner
  }

  deinit {
    if owner == nil { UnsafeMutableRawPointer(base).deallocate() }
  }

  @usableFromInline var isWritable: Bool { owner == nil }
}
