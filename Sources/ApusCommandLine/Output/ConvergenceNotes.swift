import Apus

/// How iterative fits ended, in words.
enum ConvergenceNotes {
  /// `converged after 12 iterations, residual 3e-05`, or that it did not.
  static func sentence(_ convergence: Convergence) -> String {
    let state = convergence.converged ? "converged after" : "NOT converged after"
    let noun = convergence.iterations == 1 ? "iteration" : "iterations"
    return
      "\(state) \(convergence.iterations) \(noun), residual \(Quantities.parameter(convergence.residual))"
  }

  /// Warns where a fit that is kept ended at its limit of iterations.
  ///
  /// - Parameter model: what was fitted, as the beginning of a sentence.
  static func say(_ convergence: Convergence, of model: String) {
    guard !convergence.converged else { return }
    Report.note("warning: \(model) has \(sentence(convergence)); \(advice)")
  }

  /// What to do about fits that do not converge.
  static let advice =
    "raise the number of iterations, or put standard-scaler+ before the estimator if it has features of other scales"
}
