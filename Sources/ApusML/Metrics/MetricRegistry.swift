import ApusParallel
import Synchronization

/// The metrics that this program knows by name; a program adds its own before it uses them.
public final class MetricRegistry: Sendable {
  /// The registry of the process, with every metric of Apus in it.
  public static let shared = MetricRegistry(
    Metric.classificationMetrics + Metric.regressionMetrics + Metric.clusteringMetrics)

  private let metrics: Mutex<[String: Metric]>

  init(_ metrics: [Metric]) {
    self.metrics = Mutex(Dictionary(uniqueKeysWithValues: metrics.map { ($0.name, $0) }))
  }

  /// Makes a metric known by its name, in place of one that had it before.
  public func register(_ metric: Metric) { metrics.withLock { $0[metric.name] = metric } }

  /// Every known metric, sorted by name.
  public var all: [Metric] { metrics.withLock { $0.values.sorted { $0.name < $1.name } } }

  func metric(named name: String) throws -> Metric {
    if let exact = metrics.withLock({ $0[name] }) { return exact }
    let known = all
    let folded = name.lowercased().filter { $0 != "_" && $0 != "-" }
    for candidate in [Self.shortNames[folded] ?? folded, "neg" + folded, folded + "score"] {
      if let match = known.first(where: { $0.name.filter { $0 != "_" } == candidate }) { return match }
    }
    let names = known.map(\.name)
    let suggestion = names.nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
    throw ApusError(
      .invalidParameter, "there is no metric '\(name)'",
      hint: "\(suggestion)known: \(names.joined(separator: ", "))")
  }

  private static let shortNames = [
    "mse": "negmeansquarederror", "negmse": "negmeansquarederror", "rmse": "negrootmeansquarederror",
    "negrmse": "negrootmeansquarederror", "mae": "negmeanabsoluteerror", "negmae": "negmeanabsoluteerror",
    "mape": "negmeanabsolutepercentageerror", "auc": "rocauc", "mcc": "matthewscorrcoef",
    "ari": "adjustedrandscore", "adjustedrand": "adjustedrandscore", "nmi": "normalizedmutualinfoscore",
    "ami": "adjustedmutualinfoscore",
  ]
}
