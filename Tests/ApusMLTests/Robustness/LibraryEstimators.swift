import ApusML

/// The estimators of the library itself, without those that tests register.
enum LibraryEstimators {
  static var all: [any Estimator.Type] {
    EstimatorRegistry.shared.all.filter { String(reflecting: $0).hasPrefix("ApusML.") }
  }
}
