import ApusData
import ApusLinearAlgebra
import ApusParallel

/// What a ``Pipeline`` learnt: the fitted transformer and the model of the last step.
///
/// It can do whatever the last step's model can.
public struct PipelineModel<First: TransformationModel, Last: FittedModel>: FittedModel {
  /// The fitted transformer.
  public let first: First
  /// The model of the last step, fitted on transformed features.
  public let last: Last

  /// The number of features the transformer takes.
  public var featureCount: Int { first.featureCount }

  /// How the last step's fit ended.
  public var convergence: Convergence? { last.convergence }
}

extension PipelineModel: ClassificationModel where Last: ClassificationModel {
  /// The labels of the last step.
  public var classLabels: [String] { last.classLabels }

  /// The last step's predictions on transformed features.
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    try last.predictClasses(first.transform(features, compute), compute)
  }
}

extension PipelineModel: DecisionModel where Last: DecisionModel {
  /// The last step's scores of transformed features.
  public func secondClassScores(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try last.secondClassScores(first.transform(features, compute), compute)
  }
}

extension PipelineModel: ProbabilityModel where Last: ProbabilityModel {
  /// Whether the last step learnt probabilities.
  public var givesProbabilities: Bool { last.givesProbabilities }

  /// The last step's probabilities on transformed features.
  public func predictProbabilities(
    _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    try last.predictProbabilities(first.transform(features, compute), compute)
  }
}

extension PipelineModel: RegressionModel where Last: RegressionModel {
  /// The last step's predictions on transformed features.
  public func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try last.predict(first.transform(features, compute), compute)
  }
}

extension PipelineModel: ClusteringModel where Last: ClusteringModel {
  /// The last step's clusters of transformed features.
  public func assignClusters(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    try last.assignClusters(first.transform(features, compute), compute)
  }

  /// The last step's inertia on transformed features.
  public func inertia(
    _ features: Matrix<Double>, weights: [Double]?, _ compute: ComputeContext
  ) throws -> Double {
    try last.inertia(first.transform(features, compute), weights: weights, compute)
  }
}

extension PipelineModel: TransformationModel where Last: TransformationModel {
  /// The last step's columns.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    last.transformedColumns(first.transformedColumns(columns))
  }

  /// Both transformations, one after the other.
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try last.transform(first.transform(features, compute), compute)
  }
}
