import ApusLinearAlgebra

/// What is known of a ``LogisticObjective`` where its minimisation begins. At zero that is the same for every penalty.
struct LogisticStart: Sendable {
  /// The mean curvature, without the penalty.
  let curvature: Matrix<Double>
  /// The beginning in single precision; nil where that is of no use.
  let approach: Approach?

  /// The beginning of a walk in single precision.
  struct Approach: Sendable {
    let single: SinglePrecisionLogistic
    let value: FunctionValue

    /// - Throws: ``ApusError`` of kind `cancelled`.
    init?(_ objective: LogisticObjective, _ parameters: [Double]) throws {
      guard let single = try SinglePrecisionLogistic(objective) else { return nil }
      self.single = single
      var gradient = [Double](repeating: 0, count: parameters.count)
      let value = try single.evaluate(parameters, gradient: &gradient)
      self.value = FunctionValue(value: value, gradient: gradient)
    }
  }

  /// - Throws: ``ApusError`` of kind `cancelled`.
  init(_ objective: LogisticObjective, _ parameters: [Double]) throws {
    curvature = try objective.meanCurvature(parameters)
    approach = try Approach(objective, parameters)
  }
}
