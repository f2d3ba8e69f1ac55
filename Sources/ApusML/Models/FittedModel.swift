import ApusData
import ApusLinearAlgebra
import ApusParallel

/// What an estimator learnt; conforming types add what they can do with new data
/// (``ClassificationModel``, ``RegressionModel``, ``ClusteringModel``, ``TransformationModel``).
public protocol FittedModel: Codable, Sendable {
  /// The number of features of the data it was fitted on, `p`.
  var featureCount: Int { get }

  /// How the fit ended, for methods that iterate towards a tolerance; nil for the others, and where the fit was
  /// asked for a number of iterations without a tolerance.
  var convergence: Convergence? { get }
}

extension FittedModel {
  /// Nil: the method does not iterate.
  public var convergence: Convergence? { nil }

  /// Checks that features have as many columns as the model was fitted on.
  ///
  /// - Throws: ``ApusError`` of kind `shape` that names both.
  public func checkFeatures(_ features: Matrix<Double>) throws {
    guard features.columnCount == featureCount else {
      throw ApusError(
        .shape, "the features are \(features.shape), but the model was fitted on \(featureCount) features")
    }
  }
}

/// How an iterative fit ended.
public struct Convergence: Sendable, Hashable, Codable {
  /// The number of iterations it took.
  public var iterations: Int
  /// Whether it reached its tolerance, rather than its limit of iterations.
  public var converged: Bool
  /// What the tolerance was compared with at the end: a gradient norm, a duality gap, a shift.
  public var residual: Double

  /// Creates a record of how a fit ended.
  public init(iterations: Int, converged: Bool, residual: Double) {
    self.iterations = iterations
    self.converged = converged
    self.residual = residual
  }
}

/// A model that predicts classes.
public protocol ClassificationModel: FittedModel {
  /// The labels of the classes it learnt, in the order of the data set's labels; `k` of them.
  var classLabels: [String] { get }

  /// The position in ``classLabels`` of each row's predicted class.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32]
}

/// A classifier that says how likely each class is.
public protocol ProbabilityModel: ClassificationModel {
  /// Whether this model learnt probabilities; true unless they are a choice of the fit, as they are for ``SVC``.
  var givesProbabilities: Bool { get }

  /// The probability of each class, `n × k`; rows sum to 1.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  func predictProbabilities(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double>
}

extension ProbabilityModel {
  /// True: the probabilities are part of every fit.
  public var givesProbabilities: Bool { true }
}

/// A classifier that scores how much a row looks like one class rather than another, on a scale of its own.
public protocol DecisionModel: ClassificationModel {
  /// The score of each row for the second of two classes: above 0 where that class is predicted.
  ///
  /// - Throws: ``ApusError`` of kind `unsupported` unless the model knows two classes, `shape` or `data` for
  ///   features it cannot take.
  func secondClassScores(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double]
}

extension DecisionModel {
  func requireTwoClasses() throws {
    guard classLabels.count == 2 else {
      throw ApusError(.unsupported, "the model has one score only for two classes, not \(classLabels.count)")
    }
  }
}

/// A model that predicts numbers.
public protocol RegressionModel: FittedModel {
  /// The predicted number of each row.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  func predict(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double]
}

/// A model that assigns rows to clusters.
public protocol ClusteringModel: FittedModel {
  /// The number of each row's cluster, from 0.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  func assignClusters(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32]

  /// The sum over the rows of the squared distance to their cluster's centre, weighted.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  func inertia(_ features: Matrix<Double>, weights: [Double]?, _ compute: ComputeContext) throws -> Double
}

/// A model that turns features into other features.
public protocol TransformationModel: FittedModel {
  /// Descriptions of the columns that ``transform(_:_:)`` makes.
  ///
  /// - Parameter columns: descriptions of the columns that it is given, `p` of them.
  func transformedColumns(_ columns: [Feature]) -> [Feature]

  /// The transformed features, as many rows as given.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double>
}
