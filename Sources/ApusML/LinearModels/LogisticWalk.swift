/// A part of the way to the minimum of a ``LogisticObjective`` by BFGS: how its values are computed, and how far it goes.
struct LogisticWalk {
  let tolerance: Double
  /// The relative rounding of the values.
  let rounding: Double
  /// Whether the way ends where the values' rounding hides what a step gains.
  let endsInRounding: Bool
  let residual: ([Double]) -> Double
  let evaluate: ([Double], inout [Double]) throws -> Double

  /// Walks on from `parameters`, which stay where they are if the way leads to numbers that are not finite.
  ///
  /// - Parameter known: the value there, if it is known, and where the way ended.
  /// - Throws: ``ApusError`` of kind `cancelled`.
  func minimize(
    _ parameters: inout [Double], _ known: inout FunctionValue?, atMost iterations: Int,
    _ precondition: (inout [Double]) -> Void
  ) throws -> Convergence {
    let method = LimitedMemoryBFGS(
      maximumIterations: iterations, tolerance: tolerance, rounding: rounding, endsInRounding: endsInRounding)
    var point = parameters
    let convergence = try method.minimize(
      &point, &known, evaluate: evaluate, residual: residual, precondition: precondition)
    if convergence.residual.isFinite { parameters = point } else { known = nil }
    return convergence
  }
}
