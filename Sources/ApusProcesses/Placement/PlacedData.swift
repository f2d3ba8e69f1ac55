import ApusParallel
import Synchronization

/// The files of a backend, each kept until it was removed as often as it was put.
package final class PlacedData: Sendable {
  private let files = Mutex<[Digest: (file: PlacedFile, uses: Int)]>([:])

  package init() {}

  /// Places data that is not there yet; the path of its new file, or nil when it was there.
  package func put(_ digest: Digest, _ layout: () -> SharedLayout) throws -> String? {
    try files.withLock { files in
      if let existing = files[digest] {
        files[digest] = (existing.file, existing.uses + 1)
        return nil
      }
      let file = try PlacedFile(layout())
      files[digest] = (file, 1)
      return file.path
    }
  }

  /// The path of data's file, if it was placed.
  package func path(of digest: Digest) -> String? { files.withLock { $0[digest]?.file.path } }

  /// Removes data once; true when that was the last time.
  package func remove(_ digest: Digest) -> Bool {
    files.withLock { files in
      guard let existing = files[digest] else { return false }
      files[digest] = existing.uses > 1 ? (existing.file, existing.uses - 1) : nil
      return existing.uses == 1
    }
  }
}
