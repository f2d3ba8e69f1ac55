import ApusParallel

/// What a fit finds around it: the seed of everything random about it, and what it may use.
public struct FitContext: Sendable {
  /// The root of the fit's random numbers.
  public let seed: Seed
  /// The threads that may be used, and the flag that stops the work.
  public let compute: ComputeContext

  /// Creates a context; seed 0 and every CPU this process may use unless given.
  public init(seed: Seed = Seed(0), compute: ComputeContext = .allCPUs) {
    self.seed = seed
    self.compute = compute
  }
}
