import Apus

/// The threads that `--threads` stands for.
enum ThreadCount {
  /// A number of threads, from one that counts as joblib counts: -1 for every CPU, -2 for all but one.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for 0, or more than any machine runs at once.
  static func of(_ threads: Int) throws -> Int {
    do { return try ThreadBackend(workers: threads).capacity.slots } catch var error as ApusError {
      error.message = "--threads \(threads): \(error.message)"
      throw error
    }
  }
}
