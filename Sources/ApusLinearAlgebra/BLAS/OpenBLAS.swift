import COpenBLAS

/// The one setting that Apus makes in OpenBLAS.
enum OpenBLAS {
  /// Keeps OpenBLAS on the calling thread, from the first call on.
  ///
  /// Threads are Apus' own business: a fit's share of the CPUs is its `ComputeContext`, while OpenBLAS has one
  /// thread count for the whole process and rounds differently with each. With one thread the same call gives
  /// the same bits wherever it runs.
  static let useOneThread: Void = openblas_set_num_threads(1)
}
