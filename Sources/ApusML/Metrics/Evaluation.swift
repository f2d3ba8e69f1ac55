import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A model seen on a data set, as metrics look at it: predictions are made when first asked for and shared by
/// all metrics.
///
/// Classes are given as positions in ``labels``, which covers the labels of the data and of the model, so a
/// class that was absent when the model was fitted has a place too.
public final class Evaluation {
  /// The model.
  public let model: any FittedModel
  /// The rows to score on, with their weights.
  public let data: Dataset
  /// The threads that may be used.
  public let compute: ComputeContext

  private var classes: AlignedClasses?
  private var predicted: [Int32]?
  private var confusionMatrix: ConfusionMatrix?
  private var probabilityMatrix: Matrix<Double>?
  private var values: [Double]?
  private var assigned: [Int32]?

  /// Prepares to score a model on some rows; nothing is predicted yet.
  public init(_ model: any FittedModel, on data: Dataset, _ compute: ComputeContext = .allCPUs) {
    self.model = model
    self.data = data
    self.compute = compute
  }

  /// The weights of the rows; nil where all count the same.
  public var weights: [Double]? { data.weights }

  /// True classes and the labels that they are positions in.
  private struct AlignedClasses {
    var labels: [String]
    var truth: [Int32]
    /// Where the model's classes stand among the labels; nil when they are the same.
    var modelPositions: [Int32]?
  }

  private func alignedClasses() throws -> AlignedClasses {
    if let classes { return classes }
    guard let model = model as? any ClassificationModel else { throw unsuitable("predicts no classes") }
    guard case .classes(let truth, let labels) = data.target else {
      throw ApusError(.data, "the metric needs classes to compare with, but the target holds none")
    }
    let made = Self.align(truth: truth, labels: labels, modelLabels: model.classLabels)
    classes = made
    return made
  }

  /// The labels of the classes.
  ///
  /// - Throws: ``ApusError`` when the model or the data has no classes.
  public func labels() throws -> [String] { try alignedClasses().labels }

  /// The true class of each row.
  ///
  /// - Throws: ``ApusError`` when the model or the data has no classes.
  public func trueClasses() throws -> [Int32] { try alignedClasses().truth }

  /// The predicted class of each row.
  ///
  /// - Throws: ``ApusError`` when the model or the data has no classes, or the prediction fails.
  public func predictedClasses() throws -> [Int32] {
    if let predicted { return predicted }
    let classes = try alignedClasses()
    guard let model = model as? any ClassificationModel else { throw unsuitable("predicts no classes") }
    var made = try model.predictClasses(data.features, compute)
    if let positions = classes.modelPositions { made = made.map { positions[Int($0)] } }
    predicted = made
    return made
  }

  /// The true and the predicted classes, counted.
  ///
  /// - Throws: ``ApusError`` when the model or the data has no classes, or the prediction fails.
  public func confusion() throws -> ConfusionMatrix {
    if let confusionMatrix { return confusionMatrix }
    let made = try ConfusionMatrix(
      truth: trueClasses(), predicted: predictedClasses(), labels: labels(), weights: weights)
    confusionMatrix = made
    return made
  }

  /// The predicted probability of each class, one column a label; 0 for a class that the model does not know.
  ///
  /// - Throws: ``ApusError`` when the model gives no probabilities, or the prediction fails.
  public func probabilities() throws -> Matrix<Double> {
    if let probabilityMatrix { return probabilityMatrix }
    let classes = try alignedClasses()
    guard let model = model as? any ProbabilityModel, model.givesProbabilities else {
      throw unsuitable("gives no probabilities")
    }
    var made = try model.predictProbabilities(data.features, compute)
    if let positions = classes.modelPositions {
      let known = made
      made = Matrix(rowCount: known.rowCount, columnCount: classes.labels.count)
      for row in 0..<known.rowCount {
        for (column, position) in positions.enumerated() { made[row, Int(position)] = known[row, column] }
      }
    }
    probabilityMatrix = made
    return made
  }

  /// The true numbers.
  ///
  /// - Throws: ``ApusError`` when the data has none.
  public func trueValues() throws -> [Double] {
    guard case .values(let truth) = data.target else {
      throw ApusError(.data, "the metric needs numbers to compare with, but the target holds none")
    }
    return truth
  }

  /// The predicted numbers.
  ///
  /// - Throws: ``ApusError`` when the model predicts no numbers, or the prediction fails.
  public func predictedValues() throws -> [Double] {
    if let values { return values }
    guard let model = model as? any RegressionModel else { throw unsuitable("predicts no numbers") }
    let made = try model.predict(data.features, compute)
    values = made
    return made
  }

  /// The cluster of each row.
  ///
  /// - Throws: ``ApusError`` when the model makes no clusters, or the assignment fails.
  public func clusters() throws -> [Int32] {
    if let assigned { return assigned }
    guard let model = model as? any ClusteringModel else { throw unsuitable("makes no clusters") }
    let made = try model.assignClusters(data.features, compute)
    assigned = made
    return made
  }

  func unsuitable(_ what: String) -> ApusError {
    ApusError(.unsupported, "the metric cannot score this model, which \(what)")
  }

  private static func align(truth: [Int32], labels: [String], modelLabels: [String]) -> AlignedClasses {
    if labels == modelLabels { return AlignedClasses(labels: labels, truth: truth) }
    // The longer list that holds the other keeps its order; else unknown labels of the model come last.
    var union = labels
    var truth = truth
    if Set(modelLabels).isSuperset(of: labels) {
      union = modelLabels
      let position = Dictionary(uniqueKeysWithValues: modelLabels.enumerated().map { ($1, Int32($0)) })
      truth = truth.map { position[labels[Int($0)]]! }
      return AlignedClasses(labels: union, truth: truth)
    }
    let known = Set(labels)
    union += modelLabels.filter { !known.contains($0) }
    let position = Dictionary(uniqueKeysWithValues: union.enumerated().map { ($1, Int32($0)) })
    return AlignedClasses(labels: union, truth: truth, modelPositions: modelLabels.map { position[$0]! })
  }
}
