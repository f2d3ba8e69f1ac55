import ApusParallel

extension JobRegistry {
  /// The jobs of cross-validation and of every search: what a worker of a program must be able to run.
  ///
  /// ```swift
  /// EstimatorRegistry.shared.register(NearestCentroid.self)   // the program's own estimators first
  /// WorkerHook.runIfWorker(.modelSelection)
  /// ```
  public static var modelSelection: JobRegistry {
    var registry = JobRegistry()
    registry.register(FitAndScore.self)
    registry.register(FitAndPredict.self)
    return registry
  }
}
