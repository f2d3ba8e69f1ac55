import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Groups rows around `k` centres so that the squared distances to the nearest centre sum to little.
///
/// Lloyd's iterations: every row goes to its nearest centre, every centre moves to the weighted mean of its
/// rows, until no row changes its cluster. Distances are screened in single precision with bounds on their
/// rounding; where these leave two centres possible, Double decides. So clusters are those of a computation in
/// Double, at the speed of single precision.
///
/// A cluster that loses all its rows takes the row farthest from its own centre, as in scikit-learn.
///
/// ```swift
/// var estimator = KMeans()
/// estimator.clusterCount = 3
/// let model = try estimator.fit(data)
/// let clusters = try model.assignClusters(data.features)
/// ```
///
/// Features should have comparable scales; put a ``StandardScaler`` before it where they do not.
public struct KMeans: Estimator {
  /// The number of clusters, `k`.
  public var clusterCount = 8
  /// How the first centres are chosen.
  public var initialization = CentreInitialization.kMeansPlusPlus
  /// How many times it is run from other first centres; the result of least inertia is kept. Nil: once for
  /// k-means++ and given centres, 10 times for random ones.
  public var initCount: Int?
  /// The most iterations of one run.
  public var maxIterations = 300
  /// A run ends when the centres' squared moves sum to at most this times the features' mean variance.
  public var tolerance = 1e-4
  /// Whether rows that cannot have changed their cluster are skipped; the result is the same.
  public var algorithm = KMeansAlgorithm.automatic

  /// Creates k-means with the defaults of scikit-learn.
  public init() {}

  /// `k-means`.
  public static let name = "k-means"
  /// What it does.
  public static let summary = "Groups rows around k centres (Lloyd's algorithm with distance bounds)."
  /// Clustering.
  public static let task = LearningTask.clustering

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<KMeans>] = [
    Hyperparameter(
      "clusterCount", \.clusterCount, alias: "n_clusters", in: .atLeast(1), "The number of clusters."),
    Hyperparameter(
      "initialization", \.initialization, alias: "init", "How the first centres are chosen."),
    Hyperparameter(
      "initCount", \.initCount, alias: "n_init", in: .atLeast(1),
      "Runs from other first centres, of which the best is kept; null: 1, or 10 for random ones."),
    Hyperparameter(
      "maxIterations", \.maxIterations, alias: "max_iter", in: .atLeast(1),
      "The most iterations of one run."),
    Hyperparameter(
      "tolerance", \.tolerance, alias: "tol", in: .atLeast(0),
      "A run ends when the squared moves of the centres sum to this times the mean variance."),
    Hyperparameter(
      "algorithm", \.algorithm, "Whether rows that cannot change are skipped; the result is the same."),
  ]

  /// Checks the ranges, and given centres against the number of clusters.
  public func validate() throws {
    try checkRanges()
    guard case .centres(let rows) = initialization else { return }
    guard rows.count == clusterCount else {
      throw ApusError(
        .invalidParameter,
        "\(Self.name): \(rows.count) centres are given, but clusterCount is \(clusterCount)"
      )
    }
    guard Set(rows.map(\.count)).count == 1, rows.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
      throw ApusError(
        .invalidParameter, "\(Self.name): the given centres must be lists of finite numbers of one length")
    }
  }

  /// Finds the clusters.
  ///
  /// - Throws: ``ApusError``: `data` for missing values, categories, or fewer different rows than clusters;
  ///   `shape` when given centres have another number of columns; `cancelled`.
  /// - Complexity: O(iterations × n · k · p) at most; rows that are skipped cost O(1).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> KMeansModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let (features, weights) = data.rowsOfPositiveWeight
    guard features.rowCount >= clusterCount else {
      throw Self.tooFewRows(features.rowCount, for: clusterCount, estimator: Self.name)
    }
    let points = try ScaledPoints(centring: features, context.compute)
    let lloyd = LloydIterations(
      features: features, weights: weights, points: points, maxIterations: maxIterations,
      shiftTolerance: tolerance * points.meanVariance, usesBounds: algorithm != .lloyd)
    var best: KMeansModel?
    context.compute.progress?.begin("iterations", of: nil)
    for run in 0..<runCount {
      let start = try initialCentres(
        points: points, features: features, weights: weights, seed: context.seed.derived("run", run),
        context.compute)
      let model = try lloyd.run(from: start, context.compute)
      if best.map({ model.inertia < $0.inertia }) ?? true { best = model }
    }
    try requireDistinctClusters(best!, features)
    return best!
  }

  static func tooFewRows(_ rows: Int, for clusters: Int, estimator: String) -> ApusError {
    ApusError(
      .data, "\(estimator): \(rows) rows cannot form \(clusters) clusters", hint: "lower clusterCount")
  }

  private var runCount: Int {
    switch initialization {
    case .kMeansPlusPlus: initCount ?? 1
    case .random: initCount ?? 10
    case .centres: 1
    }
  }

  private func initialCentres(
    points: ScaledPoints, features: Matrix<Double>, weights: [Double]?, seed: Seed,
    _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    switch initialization {
    case .kMeansPlusPlus:
      let rows = try CentreSeeding(points: points, weights: weights)
        .chooseSpread(clusterCount, seed: seed, compute)
      return features.gatheringRows(rows)
    case .random:
      let rows = CentreSeeding(points: points, weights: weights).chooseRandom(clusterCount, seed: seed)
      return features.gatheringRows(rows)
    case .centres(let rows):
      guard rows[0].count == features.columnCount else {
        throw ApusError(
          .shape,
          "\(Self.name): the given centres have \(rows[0].count) columns, but the features are \(features.shape)"
        )
      }
      return Matrix(rows)
    }
  }

  /// Refuses a result with empty clusters where there are not enough different rows to fill them.
  private func requireDistinctClusters(_ model: KMeansModel, _ features: Matrix<Double>) throws {
    guard model.clusterSizes.contains(0) else { return }
    var distinct = Set<[Double]>()
    for row in 0..<features.rowCount where distinct.count < clusterCount {
      distinct.insert(features.row(row))
    }
    if distinct.count < clusterCount {
      throw ApusError(
        .data,
        "\(Self.name): there are only \(distinct.count) different rows for \(clusterCount) clusters",
        hint: "lower clusterCount")
    }
  }
}

/// How ``KMeans`` finds each row's nearest centre.
public enum KMeansAlgorithm: String, ParameterChoice {
  /// The faster one, which is ``hamerly`` wherever we measured.
  case automatic
  /// Every row is compared with every centre in each iteration.
  case lloyd
  /// Two bounds a row tell when its cluster cannot have changed (Hamerly, 2010).
  case hamerly
}

extension Dataset {
  /// The features and weights of the rows that count; nil weights where all weigh 1.
  fileprivate var rowsOfPositiveWeight: (Matrix<Double>, [Double]?) {
    guard let weights else { return (features, nil) }
    guard weights.contains(0) else { return (features, weights) }
    let rows = weights.indices.filter { weights[$0] > 0 }
    return (features.gatheringRows(rows), rows.map { weights[$0] })
  }
}
