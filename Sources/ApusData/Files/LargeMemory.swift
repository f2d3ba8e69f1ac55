import Foundation

/// Advice to the system about large regions of memory.
enum LargeMemory {
  /// Asks for pages of 2 MB in a region that is about to be written for the first time: a page fault for every
  /// 4 KB would cost a third of the time that reading a table takes.
  static func preferLargePages(_ region: UnsafeMutableRawBufferPointer) {
    #if os(Linux)
      let pageSize = 1 << 21
      guard let start = region.baseAddress, region.count >= 2 * pageSize else { return }
      let first = (Int(bitPattern: start) + pageSize - 1) & ~(pageSize - 1)
      let end = (Int(bitPattern: start) + region.count) & ~(pageSize - 1)
      // Advice only: where the system refuses it, nothing is lost.
      _ = madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_HUGEPAGE)
    #endif
  }
}
