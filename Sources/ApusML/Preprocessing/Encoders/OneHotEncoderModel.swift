import ApusData
import ApusLinearAlgebra
import ApusParallel

/// The categories that a ``OneHotEncoder`` found.
public struct OneHotEncoderModel: TransformationModel {
  /// For each column the categories that get a column; nil for numeric ones.
  let encodings: [CategoryEncoding?]
  /// What becomes of other categories and missing values.
  let handleUnknown: UnknownCategory

  /// The number of features, `p`.
  public var featureCount: Int { encodings.count }

  /// The number of columns that ``transform(_:_:)`` makes.
  public var transformedCount: Int { encodings.reduce(0) { $0 + ($1?.kept.count ?? 1) } }

  /// Numeric columns as they are, and `column=category` for every category that is kept.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    zip(columns, encodings).flatMap { column, encoding in
      guard let encoding else { return [column] }
      return encoding.kept.map { Feature(name: "\(column.name)=\($0.name)") }
    }
  }

  /// The features with categories as zeros and ones.
  ///
  /// - Throws: ``ApusError`` of kind `shape`, or `data` for an unknown category that is to be refused.
  /// - Complexity: O(n · columns made).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    let width = transformedCount
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1 + (1 << 15) / max(1, width))
    return try Matrix(rowCount: features.rowCount, columnCount: width) { target in
      // Blocks write disjoint rows.
      nonisolated(unsafe) let target = target
      try compute.forEach(blocks.count) { block in
        try features.withUnsafeElements { source in
          for row in blocks[block] {
            var output = row * width
            for (column, encoding) in encodings.enumerated() {
              let value = source[row * featureCount + column]
              guard let encoding else {
                target[output] = value
                output += 1
                continue
              }
              for position in 0..<encoding.kept.count { target[output + position] = 0 }
              switch encoding.position(of: value) {
              case .kept(let position): target[output + position] = 1
              case .dropped: break
              case .unknown: try refuseIfAsked(row: row, column: column)
              }
              output += encoding.kept.count
            }
          }
        }
      }
    }
  }

  private func refuseIfAsked(row: Int, column: Int) throws {
    guard handleUnknown == .error else { return }
    throw ApusError.unknownCategory(row: row, column: column, encoder: OneHotEncoder.name)
  }
}

extension ApusError {
  static func unknownCategory(row: Int, column: Int, encoder: String) -> ApusError {
    ApusError(
      .data,
      "\(encoder): row \(row + 1), column \(column + 1) has a category that the fit did not see, or none",
      hint: "set handleUnknown to ignore")
  }
}
