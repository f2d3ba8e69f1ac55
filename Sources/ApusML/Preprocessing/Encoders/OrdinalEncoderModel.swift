import ApusData
import ApusLinearAlgebra
import ApusParallel

/// The categories that an ``OrdinalEncoder`` found, in their order.
public struct OrdinalEncoderModel: TransformationModel {
  /// For each column the categories in order; nil for numeric ones.
  let encodings: [CategoryEncoding?]
  /// What becomes of other categories and missing values.
  let handleUnknown: UnknownCategory

  /// The number of features, `p`.
  public var featureCount: Int { encodings.count }

  /// The same columns, all of them numeric.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] { columns.map { Feature(name: $0.name) } }

  /// The features with categories as positions.
  ///
  /// - Throws: ``ApusError`` of kind `shape`, or `data` for an unknown category that is to be refused.
  /// - Complexity: O(n · p).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    var result = features
    try result.withUnsafeMutableElements { elements in
      for (column, encoding) in encodings.enumerated() {
        guard let encoding else { continue }
        for row in 0..<features.rowCount {
          let cell = row * featureCount + column
          if case .kept(let position) = encoding.position(of: elements[cell]) {
            elements[cell] = Double(position)
          } else if handleUnknown == .error {
            throw ApusError.unknownCategory(row: row, column: column, encoder: OrdinalEncoder.name)
          } else {
            elements[cell] = .nan
          }
        }
      }
    }
    return result
  }
}
