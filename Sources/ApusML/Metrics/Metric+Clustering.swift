import ApusParallel

extension Metric {
  /// The negated sum of squared distances to the clusters' centres.
  public static let negInertia = Metric(
    "neg_inertia", task: .clustering, "Sum of squared distances to the clusters' centres, negated."
  ) { evaluation in
    guard let model = evaluation.model as? any ClusteringModel else {
      throw evaluation.unsuitable("makes no clusters")
    }
    return -(try model.inertia(evaluation.data.features, weights: evaluation.weights, evaluation.compute))
  }
  /// The mean silhouette of the rows.
  public static let silhouette = Metric(
    "silhouette_score", task: .clustering,
    "Mean over the rows of how much nearer they are to their own cluster than to the next."
  ) {
    try Silhouette.meanScore($0.data.features, clusters: $0.clusters(), $0.compute)
  }
  /// The Rand index of clusters and classes, corrected for chance.
  public static let adjustedRand = agreement(
    "adjusted_rand_score", "Rand index of clusters and classes, corrected for chance."
  ) { $0.adjustedRandIndex }
  /// The Rand index of clusters and classes.
  public static let rand = agreement(
    "rand_score", "Share of the pairs of rows on which clusters and classes agree."
  ) { $0.randIndex }
  /// The mutual information of clusters and classes over the mean of their entropies.
  public static let normalizedMutualInformation = agreement(
    "normalized_mutual_info_score", "Mutual information over the mean of the entropies."
  ) { $0.normalizedMutualInformation }
  /// The mutual information of clusters and classes, corrected for chance.
  public static let adjustedMutualInformation = agreement(
    "adjusted_mutual_info_score", "Mutual information of clusters and classes, corrected for chance."
  ) { $0.adjustedMutualInformation }
  /// The mutual information of clusters and classes.
  public static let mutualInformation = agreement(
    "mutual_info_score", "Mutual information of clusters and classes, in nats."
  ) { $0.mutualInformation }
  /// Whether clusters hold members of one class only.
  public static let homogeneity = agreement(
    "homogeneity_score", "Whether clusters hold members of one class only."
  ) { $0.homogeneity }
  /// Whether the members of a class are in one cluster.
  public static let completeness = agreement(
    "completeness_score", "Whether the members of a class are in one cluster."
  ) { $0.completeness }
  /// The harmonic mean of homogeneity and completeness.
  public static let vMeasure = agreement(
    "v_measure_score", "Harmonic mean of homogeneity and completeness."
  ) { $0.vMeasure }
  /// The geometric mean of pairwise precision and recall.
  public static let fowlkesMallows = agreement(
    "fowlkes_mallows_score", "Geometric mean of pairwise precision and recall."
  ) { $0.fowlkesMallowsIndex }

  static let clusteringMetrics: [Metric] = [
    negInertia, silhouette, adjustedRand, rand, normalizedMutualInformation, adjustedMutualInformation,
    mutualInformation, homogeneity, completeness, vMeasure, fowlkesMallows,
  ]

  private static func agreement(
    _ name: String, _ summary: String, _ score: @escaping @Sendable (ClusterAgreement) -> Double
  ) -> Metric {
    Metric(name, task: .clustering, summary) { evaluation in
      guard case .classes(let truth, _) = evaluation.data.target else {
        throw ApusError(.data, "the metric compares clusters with classes, but the target holds none")
      }
      return score(try ClusterAgreement(truth: truth, clusters: evaluation.clusters()))
    }
  }
}
