import ApusData
import ApusLinearAlgebra
import ApusParallel
import Foundation

/// K-means that moves its centres after small random batches of rows, for data of many rows: somewhat worse
/// clusters than ``KMeans`` in less time (Sculley, 2010).
///
/// Each centre is the weighted mean of all rows that were assigned to it so far. Centres that got few rows are
/// moved to rows of the batch now and then, as in scikit-learn.
public struct MiniBatchKMeans: Estimator {
  /// The number of clusters, `k`.
  public var clusterCount = 8
  /// How the first centres are chosen, among a sample of three batches.
  public var initialization = CentreInitialization.kMeansPlusPlus
  /// The number of rows in a batch.
  public var batchSize = 1024
  /// The most passes over as many rows as the data has.
  public var maxIterations = 100
  /// The number of batches without a lower smoothed inertia at which the run ends; nil for no such end, and then
  /// the model's convergence is nil, as nothing was looked at.
  public var maxNoImprovement: Int? = 10
  /// Centres with less than this share of the heaviest one's rows are moved.
  public var reassignmentRatio = 0.01

  /// Creates mini-batch k-means with the defaults of scikit-learn.
  public init() {}

  /// `mini-batch-k-means`.
  public static let name = "mini-batch-k-means"
  /// What it does.
  public static let summary = "K-means by small random batches, for data of many rows."
  /// Clustering.
  public static let task = LearningTask.clustering

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<MiniBatchKMeans>] = [
    Hyperparameter(
      "clusterCount", \.clusterCount, alias: "n_clusters", in: .atLeast(1), "The number of clusters."),
    Hyperparameter(
      "initialization", \.initialization, alias: "init", "How the first centres are chosen."),
    Hyperparameter("batchSize", \.batchSize, in: .atLeast(1), "The number of rows in a batch."),
    Hyperparameter(
      "maxIterations", \.maxIterations, alias: "max_iter", in: .atLeast(1),
      "The most passes over as many rows as the data has."),
    Hyperparameter(
      "maxNoImprovement", \.maxNoImprovement, in: .atLeast(1),
      "The number of batches without improvement at which the run ends; null for no such end."),
    Hyperparameter(
      "reassignmentRatio", \.reassignmentRatio, in: .atLeast(0),
      "Centres with less than this share of the heaviest one's rows are moved."),
  ]

  /// Checks the ranges, and given centres as ``KMeans`` does.
  public func validate() throws {
    try checkRanges()
    var exact = KMeans()
    (exact.clusterCount, exact.initialization) = (clusterCount, initialization)
    try exact.validate()
  }

  /// Finds the clusters.
  ///
  /// - Throws: as ``KMeans/fit(_:_:)`` does.
  /// - Complexity: O(batches × batchSize · k · p), and O(n · k · p) once at the end.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> KMeansModel {
    try validate()
    var start = KMeans()
    (start.clusterCount, start.initialization) = (clusterCount, initialization)
    (start.initCount, start.maxIterations) = (1, 1)
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let hasIdleRows = data.weights?.contains(0) ?? false
    let data =
      hasIdleRows ? data.gatheringRows((0..<data.rowCount).filter { data.weights![$0] > 0 }) : data
    let n = data.rowCount
    guard n >= clusterCount else { throw KMeans.tooFewRows(n, for: clusterCount, estimator: Self.name) }
    var random = context.seed.derived("sample").randomSource()
    let sampleSize = min(n, 3 * min(n, max(batchSize, clusterCount)))
    let sample = sampleSize < n ? Array(random.permutation(n).prefix(sampleSize)) : Array(0..<n)
    // One iteration on a sample checks the data and gives the first centres, unless they are given.
    let first = try start.fit(
      data.gatheringRows(sample),
      FitContext(seed: context.seed.derived("start"), compute: context.compute))
    var centres = first.centres
    if case .centres(let rows) = initialization { centres = Matrix(rows) }
    var state = MiniBatchState(centres: centres, reassignmentRatio: reassignmentRatio)
    let convergence = try run(&state, data, context)
    let unmeasured = KMeansModel(
      centres: state.centres, inertia: 0, clusterSizes: [], convergence: convergence)
    let labels = try unmeasured.assignClusters(data.features, context.compute)
    var sizes = [Int](repeating: 0, count: clusterCount)
    for label in labels { sizes[Int(label)] += 1 }
    return KMeansModel(
      centres: state.centres,
      inertia: try squaredDistanceSum(
        data.features, to: state.centres, labels: labels, weights: data.weights, context.compute),
      clusterSizes: sizes, convergence: convergence)
  }

  private func run(
    _ state: inout MiniBatchState, _ data: Dataset, _ context: FitContext
  ) throws -> Convergence? {
    let n = data.rowCount
    let size = min(batchSize, n)
    let smoothing = min(1, 2 * Double(size) / Double(n + 1))
    var (smoothed, lowest, worse) = (Double.nan, Double.infinity, 0)
    let (drawn, overflows) = maxIterations.multipliedReportingOverflow(by: n)
    let limit = overflows ? .max : max(1, drawn / size)
    context.compute.progress?.begin("batches", of: nil)
    for step in 0..<limit {
      try context.compute.cancellation.check()
      context.compute.progress?.advance()
      var random = context.seed.derived("batch", step).randomSource()
      let batch = (0..<size).map { _ in random.integer(below: n) }
      let inertia = try state.update(
        data.features.gatheringRows(batch), data.weights.map { all in batch.map { all[$0] } }, &random,
        context.compute)
      guard inertia.isFinite else {
        throw ApusError(
          .numerical, "\(Self.name): the squared distances between rows are too large for a Double",
          hint: "put standard-scaler before it: standard-scaler+\(Self.name)")
      }
      // The first batch's inertia is that of centres which have seen nothing yet.
      guard step > 0 else { continue }
      smoothed = smoothed.isNaN ? inertia : smoothed * (1 - smoothing) + inertia * smoothing
      if smoothed < lowest {
        (lowest, worse) = (smoothed, 0)
      } else {
        worse += 1
      }
      if let maxNoImprovement, worse >= maxNoImprovement {
        return Convergence(iterations: step + 1, converged: true, residual: smoothed - lowest)
      }
    }
    guard maxNoImprovement != nil else { return nil }
    // After a single batch there is nothing to compare its inertia with.
    let residual = lowest.isFinite ? smoothed - lowest : .infinity
    return Convergence(iterations: limit, converged: false, residual: residual)
  }
}

/// The centres of ``MiniBatchKMeans`` and how much each has seen.
private struct MiniBatchState {
  private(set) var centres: Matrix<Double>
  private let reassignmentRatio: Double
  private var seen: [Double]
  private var rowsSinceReassignment = 0

  init(centres: Matrix<Double>, reassignmentRatio: Double) {
    self.centres = centres
    self.reassignmentRatio = reassignmentRatio
    seen = [Double](repeating: 0, count: centres.rowCount)
  }

  /// Moves the centres by a batch; returns its mean squared distance to the centres before.
  mutating func update(
    _ batch: Matrix<Double>, _ weights: [Double]?, _ random: inout RandomSource, _ compute: ComputeContext
  ) throws -> Double {
    let (k, p) = (centres.rowCount, centres.columnCount)
    let model = KMeansModel(centres: centres, inertia: 0, clusterSizes: [], convergence: nil)
    let labels = try model.assignClusters(batch, compute)
    let inertia = try squaredDistanceSum(batch, to: centres, labels: labels, weights: weights, compute)
    let weightSum = weights?.reduce(0, +) ?? Double(batch.rowCount)
    var sums = centres.elements
    for cluster in 0..<k {
      for column in 0..<p { sums[cluster * p + column] *= seen[cluster] }
    }
    batch.withUnsafeElements { x in
      for (row, label) in labels.enumerated() {
        let weight = weights?[row] ?? 1
        seen[Int(label)] += weight
        for column in 0..<p { sums[Int(label) * p + column] += weight * x[row * p + column] }
      }
    }
    for cluster in 0..<k where seen[cluster] > 0 {
      for column in 0..<p { centres[cluster, column] = sums[cluster * p + column] / seen[cluster] }
    }
    reassign(batch, &random)
    return weightSum > 0 ? inertia / weightSum : 0
  }

  /// Moves centres that saw few rows to rows of the batch, once every ten rows a cluster.
  private mutating func reassign(_ batch: Matrix<Double>, _ random: inout RandomSource) {
    rowsSinceReassignment += batch.rowCount
    let heaviest = seen.max() ?? 0
    guard reassignmentRatio > 0, seen.contains(0) || rowsSinceReassignment >= 10 * seen.count else { return }
    rowsSinceReassignment = 0
    // At most half a batch, the lightest centres first.
    let light = seen.indices.filter { seen[$0] < reassignmentRatio * heaviest }
      .sorted { (seen[$0], $0) < (seen[$1], $1) }.prefix(batch.rowCount / 2)
    guard !light.isEmpty else { return }
    let lightest = seen.indices.filter { !light.contains($0) }.map { seen[$0] }.min() ?? heaviest
    let rows = random.permutation(batch.rowCount)
    for (cluster, row) in zip(light, rows) {
      for column in 0..<centres.columnCount { centres[cluster, column] = batch[row, column] }
      seen[cluster] = lightest
    }
  }
}
