import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Divides every row by its norm; a row of zeros stays as it is.
public struct Normalizer: TransformerEstimator {
  /// The norm that becomes 1.
  public var norm = RowNorm.l2

  /// Creates a transformer to Euclidean norm 1.
  public init() {}

  /// `normalizer`.
  public static let name = "normalizer"
  /// What it does.
  public static let summary = "Divides every row by its norm."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<Normalizer>] = [
    Hyperparameter("norm", \.norm, "The norm that becomes 1.")
  ]

  /// Notes the number of features; there is nothing to learn.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns or values that are not finite.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> NormalizerModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    return NormalizerModel(featureCount: data.featureCount, norm: norm)
  }
}

/// A norm of a row.
public enum RowNorm: String, ParameterChoice {
  /// The sum of the magnitudes.
  case l1
  /// The Euclidean norm.
  case l2
  /// The largest magnitude.
  case max
}

/// Divides rows by their norm.
public struct NormalizerModel: TransformationModel {
  /// The number of features, `p`.
  public let featureCount: Int
  /// The norm that becomes 1.
  public let norm: RowNorm

  /// The same columns under the same names.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] { columns.map { Feature(name: $0.name) } }

  /// The rows, each divided by its norm.
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    try features.requireFinite(for: Normalizer.name)
    let p = featureCount
    return features.withUnsafeElements { source in
      Matrix(rowCount: features.rowCount, columnCount: p) { target in
        for row in 0..<features.rowCount {
          var size = 0.0
          for index in row * p..<(row + 1) * p {
            let value = source[index]
            switch norm {
            case .l1: size += abs(value)
            case .l2: size += value * value
            case .max: size = Swift.max(size, abs(value))
            }
          }
          let own = row * p..<(row + 1) * p
          guard size.isFinite, size >= Self.smallestSum || size == 0 && source[own].allSatisfy({ $0 == 0 })
          else {
            normalizeExtreme(source, own, into: target)
            continue
          }
          if norm == .l2 { size = size.squareRoot() }
          for index in own { target[index] = size > 0 ? source[index] / size : source[index] }
        }
      }
    }
  }

  /// Sums of squares below this have lost digits.
  private static let smallestSum = 1e-280

  /// Normalises a row whose sum is too large or too small for a Double: its elements are divided by the largest first.
  private func normalizeExtreme(
    _ source: UnsafeBufferPointer<Double>, _ row: Range<Int>, into target: UnsafeMutableBufferPointer<Double>
  ) {
    let largest = row.reduce(0) { Swift.max($0, abs(source[$1])) }
    let size = row.reduce(0.0) { sum, index in
      let value = abs(source[index] / largest)
      switch norm {
      case .l1: return sum + value
      case .l2: return sum + value * value
      case .max: return 1
      }
    }
    for index in row { target[index] = source[index] / largest / (norm == .l2 ? size.squareRoot() : size) }
  }
}
