import Apus
import ArgumentParser
import Foundation

extension CompletionKind {
  /// The names of the estimators, and of pipelines once a transformer and a `+` are there.
  static var estimators: CompletionKind {
    .custom { _, _, prefix in
      let names = EstimatorRegistry.shared.all.map { $0.name }
      guard let plus = prefix.lastIndex(of: "+") else { return names }
      return names.map { prefix[...plus] + $0 }
    }
  }

  /// Bundled datasets and files.
  static var datasets: CompletionKind {
    .custom { _, _, prefix in
      let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
      let files = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
      let names = folder.isEmpty ? BundledDataset.all.map(\.name) : []
      return names + (files ?? []).filter { !$0.hasPrefix(".") }.map { folder + $0 }.sorted()
    }
  }

  /// The names of the metrics.
  static var metrics: CompletionKind { .custom { _, _, _ in Metric.all.map(\.name) } }
}
