import COpenBLAS

/// The one setting that Apus makes in OpenBLAS.
package enum OpenBLAS {
  /// Keeps OpenBLAS on the calling thread, from the first call on.
  ///
  /// Threads are Apus' own business: a fit's share of the CPUs is its `ComputeContext`, while OpenBLAS has one
  /// thread count for the whole process and rounds differently with each. With one thread the same call gives
  /// the same bits wherever it runs.
  ///
  /// The threads that OpenBLAS has started when it was loaded are ended: idle, they look for work for some 15 ms of
  /// CPU time before they sleep. A program calls this first, so that they do not.
  package static let useOneThread: Void = {
    openblas_set_num_threads(1)
    blas_thread_shutdown_()
  }()
}
