import ApusData
import ApusLinearAlgebra
import ApusParallel

extension Dataset {
  /// Checks that no column is categorical and that every value is a finite number or missing, for
  /// transformers that pass missing values on.
  ///
  /// - Throws: ``ApusError`` of kind `data` that names the row and the column.
  func requireNumbersOrMissing(for estimator: String) throws {
    if let column = columns.first(where: \.isCategorical) {
      throw ApusError(
        .data, "\(estimator) needs numbers, but column '\(column.name)' holds categories",
        hint: "put one-hot-encoder before it: one-hot-encoder+\(estimator)")
    }
    let infinite = features.withUnsafeElements { elements -> Int? in
      // Differences of larger numbers may be infinite.
      let limit = Double.greatestFiniteMagnitude / 4
      return elements.contains { $0.magnitude > limit } ? elements.firstIndex { $0.magnitude > limit } : nil
    }
    guard let infinite else { return }
    let (row, column) = infinite.quotientAndRemainder(dividingBy: featureCount)
    let value = features[row, column]
    throw ApusError(
      .data,
      "\(estimator) cannot take \(value), found in row \(row + 1), column '\(columns[column].name)'",
      hint: value.isFinite ? "give the column in larger units" : "replace infinities")
  }
}
