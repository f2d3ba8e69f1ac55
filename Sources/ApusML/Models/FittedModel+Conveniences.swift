import ApusLinearAlgebra
import ApusParallel

extension ClassificationModel {
  /// The label of each row's predicted class, on every CPU this process may use.
  ///
  /// - Throws: as ``predictClasses(_:_:)`` does.
  public func predictLabels(_ features: Matrix<Double>) throws -> [String] {
    let labels = classLabels
    return try predictClasses(features, .allCPUs).map { labels[Int($0)] }
  }
}

extension ProbabilityModel {
  /// The probability of each class, `n × k`, on every CPU this process may use.
  ///
  /// - Throws: as ``predictProbabilities(_:_:)`` does.
  public func predictProbabilities(_ features: Matrix<Double>) throws -> Matrix<Double> {
    try predictProbabilities(features, .allCPUs)
  }
}

extension RegressionModel {
  /// The predicted number of each row, on every CPU this process may use.
  ///
  /// - Throws: as ``predict(_:_:)`` does.
  public func predict(_ features: Matrix<Double>) throws -> [Double] { try predict(features, .allCPUs) }
}

extension ClusteringModel {
  /// The number of each row's cluster, on every CPU this process may use.
  ///
  /// - Throws: as ``assignClusters(_:_:)`` does.
  public func assignClusters(_ features: Matrix<Double>) throws -> [Int32] {
    try assignClusters(features, .allCPUs)
  }
}

extension TransformationModel {
  /// The transformed features, on every CPU this process may use.
  ///
  /// - Throws: as ``transform(_:_:)`` does.
  public func transform(_ features: Matrix<Double>) throws -> Matrix<Double> {
    try transform(features, .allCPUs)
  }
}
