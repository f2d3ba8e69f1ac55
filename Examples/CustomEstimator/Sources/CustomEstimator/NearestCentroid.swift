import Apus

/// Predicts the class whose mean is nearest, after shrinking the means toward the overall mean.
struct NearestCentroid: Estimator {
  static let name = "nearest-centroid"
  static let summary = "Predicts the class whose mean is nearest."
  static let task = LearningTask.classification
  static let hyperparameters = [
    Hyperparameter(
      "shrinkage", \NearestCentroid.shrinkage, in: .between(0, 1),
      "How far the means move toward the overall mean, from 0 to 1.")
  ]

  /// How far the means move toward the overall mean: 0 not at all, 1 all the way.
  var shrinkage = 0.0

  func fit(_ data: Dataset, _ context: FitContext) throws -> NearestCentroidModel {
    try validate()
    let input = try ClassificationInput(data, estimator: Self.name)
    let p = data.featureCount
    var sums = [Double](repeating: 0, count: input.labels.count * p)
    var totals = [Double](repeating: 0, count: input.labels.count)
    for row in 0..<data.rowCount {
      let weight = input.weights?[row] ?? 1
      let position = Int(input.classes[row])
      totals[position] += weight
      for column in 0..<p { sums[position * p + column] += weight * data.features[row, column] }
    }
    let total = totals.reduce(0, +)
    for column in 0..<p {
      let overall = input.labels.indices.reduce(0) { $0 + sums[$1 * p + column] } / total
      for position in input.labels.indices {
        let mean = sums[position * p + column] / totals[position]
        sums[position * p + column] = mean + shrinkage * (overall - mean)
      }
    }
    return NearestCentroidModel(featureCount: p, classLabels: input.labels, centroids: PackedArray(sums))
  }
}

/// The means of the classes.
struct NearestCentroidModel: ClassificationModel {
  var featureCount: Int
  var classLabels: [String]
  /// The means, one after another, each of `featureCount` numbers.
  var centroids: PackedArray<Double>

  func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    try checkFeatures(features)
    return try compute.map(features.rowCount) { row in
      let distances = classLabels.indices.map { position in
        (0..<featureCount).reduce(0) { sum, column in
          let difference = features[row, column] - centroids.elements[position * featureCount + column]
          return sum + difference * difference
        }
      }
      return Int32(distances.indices.min { distances[$0] < distances[$1] } ?? 0)
    }
  }
}
