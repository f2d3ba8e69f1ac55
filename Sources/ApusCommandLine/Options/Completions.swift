import Apus
import ArgumentParser

extension CompletionKind {
  /// The names of the estimators, and of pipelines once a transformer and a `+` are there.
  static var estimators: CompletionKind {
    .custom { _, _, prefix in
      let names = EstimatorRegistry.shared.all.map { $0.name }
      guard let plus = prefix.lastIndex(of: "+") else { return names }
      return names.map { prefix[...plus] + $0 }
    }
  }
}
