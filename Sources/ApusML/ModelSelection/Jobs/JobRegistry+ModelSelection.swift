import ApusParallel

extension JobRegistry {
  /// Makes the jobs of cross-validation and searches known, so that other processes can run them.
  public mutating func registerModelSelection() {
    register(FitAndScore.self)
    register(FitAndPredict.self)
  }
}
