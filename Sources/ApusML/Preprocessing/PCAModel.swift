import ApusData
import ApusLinearAlgebra
import ApusParallel

/// The directions that ``PCA`` or ``TruncatedSVD`` found.
public struct PCAModel: TransformationModel {
  /// What is subtracted from each feature; zeros for a truncated SVD.
  public let means: [Double]
  /// The directions in rows, the one of largest variance first, `c × p`.
  public let components: Matrix<Double>
  /// The variance along each direction.
  public let explainedVariances: [Double]
  /// The share of the whole variance along each direction.
  public let explainedVarianceRatios: [Double]
  /// The singular value of each direction.
  public let singularValues: [Double]
  private let whiten: Bool

  init(
    means: [Double], components: Matrix<Double>, explainedVariances: [Double],
    explainedVarianceRatios: [Double], singularValues: [Double], whiten: Bool
  ) {
    self.means = means
    self.components = components
    self.explainedVariances = explainedVariances
    self.explainedVarianceRatios = explainedVarianceRatios
    self.singularValues = singularValues
    self.whiten = whiten
  }

  /// The number of features, `p`.
  public var featureCount: Int { means.count }

  /// A column a component: `component0`, `component1`, ….
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    (0..<components.rowCount).map { Feature(name: "component\($0)") }
  }

  /// The coordinates of each row along the components, `n × c`.
  ///
  /// - Complexity: O(n · p · c).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    try features.requireFinite(for: PCA.name)
    var coordinates = try features.subtracting(means).multiplied(byTransposeOf: components, compute)
    guard whiten else { return coordinates }
    let deviations = explainedVariances.map { max($0, .leastNormalMagnitude).squareRoot() }
    coordinates.withUnsafeMutableElements { elements in
      for index in elements.indices { elements[index] /= deviations[index % deviations.count] }
    }
    return coordinates
  }

  /// The features that coordinates stand for, `n × p`; what lies outside the components is lost.
  ///
  /// - Throws: ``ApusError`` of kind `shape` when there are not as many coordinates as components.
  public func inverseTransform(
    _ coordinates: Matrix<Double>, _ compute: ComputeContext = .allCPUs
  ) throws -> Matrix<Double> {
    var scaled = coordinates
    if whiten {
      scaled.withUnsafeMutableElements { elements in
        for index in elements.indices {
          elements[index] *= explainedVariances[index % explainedVariances.count].squareRoot()
        }
      }
    }
    return try scaled.multiplied(by: components, compute).subtracting(means.map { -$0 })
  }
}

extension Matrix where Scalar == Double {
  /// This matrix less a number for each column.
  func subtracting(_ offsets: [Double]) -> Matrix {
    guard offsets.contains(where: { $0 != 0 }) else { return self }
    let width = columnCount
    return withUnsafeElements { source in
      Matrix(rowCount: rowCount, columnCount: width) { target in
        offsets.withUnsafeBufferPointer { offsets in
          for row in 0..<rowCount {
            for column in 0..<width {
              target[row &* width &+ column] = source[row &* width &+ column] - offsets[column]
            }
          }
        }
      }
    }
  }
}
