import ApusData
import ApusLinearAlgebra
import ApusParallel
import CKernels

extension Dataset {
  /// Checks that there are rows, and that not all of them weigh nothing.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  public func requireRowsWithWeight(for estimator: String) throws {
    guard rowCount > 0 else { throw ApusError(.data, "\(estimator) was given no rows") }
    guard featureCount > 0 else { throw ApusError(.data, "\(estimator) was given no features") }
    if let weights, !weights.contains(where: { $0 > 0 }) {
      throw ApusError(.data, "\(estimator): every row has weight zero")
    }
  }

  /// Checks that every feature is a finite number and none is categorical, for estimators that need it.
  ///
  /// - Throws: ``ApusError`` of kind `data` that names the row, the column and what to do.
  /// - Complexity: O(n · p).
  public func requireFiniteNumbers(for estimator: String) throws {
    try requireNumericColumns(for: estimator)
    try features.requireFinite(for: estimator, columnNames: featureNames)
  }

  /// Checks that no feature is categorical, for estimators that find missing values in their own sums.
  ///
  /// - Throws: ``ApusError`` of kind `data` that names the column and what to do.
  public func requireNumericColumns(for estimator: String) throws {
    guard let column = columns.first(where: \.isCategorical) else { return }
    throw ApusError(
      .data, "\(estimator) needs numbers, but column '\(column.name)' holds categories",
      hint: "put one-hot-encoder before it: one-hot-encoder+\(estimator)")
  }
}

extension Matrix where Scalar == Double {
  /// Whether no element is infinite or missing.
  var areFinite: Bool {
    withUnsafeElements { elements in
      elements.baseAddress.map { ckernels_all_finite($0, elements.count) != 0 } ?? true
    }
  }

  /// Checks that every element is a finite number.
  ///
  /// - Parameters:
  ///   - consumer: what needs it, for the message.
  ///   - columnNames: names for the message; columns are numbered from 1 without them.
  /// - Throws: ``ApusError`` of kind `data` that names the row and the column, counted from 1.
  public func requireFinite(for consumer: String, columnNames: [String]? = nil) throws {
    if areFinite { return }
    guard let firstBad = withUnsafeElements({ $0.firstIndex { !$0.isFinite } }) else { return }
    let (row, column) = firstBad.quotientAndRemainder(dividingBy: columnCount)
    let value = self[row, column]
    let name = columnNames.map { "'\($0[column])'" } ?? "\(column + 1)"
    throw ApusError(
      .data,
      "\(consumer) cannot take \(value.isNaN ? "a missing value (NaN)" : "\(value)"), "
        + "found in row \(row + 1), column \(name)",
      hint: value.isNaN
        ? "put simple-imputer before it, or use a forest, which takes missing values" : "replace infinities")
  }
}
