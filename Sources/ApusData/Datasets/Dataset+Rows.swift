import ApusLinearAlgebra

extension Dataset {
  /// The rows with the given indices, copied in that order; an index may come more than once.
  ///
  /// Class labels and categories are those of the whole data set, even where no chosen row has them.
  ///
  /// - Precondition: every index is in `0 ..< rowCount`.
  /// - Complexity: O(indices × p).
  public func gatheringRows(_ indices: some Collection<Int>) -> Dataset {
    Dataset(
      uncheckedFeatures: features.gatheringRows(indices), columns: columns,
      target: target.gathering(indices), weights: weights.map { all in indices.map { all[$0] } },
      groups: groups.map { all in indices.map { all[$0] } }, targetName: targetName)
  }

  /// The same rows with other features, as a transformer makes them.
  ///
  /// - Precondition: `features` has as many rows, and `columns` describes its columns.
  public func replacingFeatures(_ features: Matrix<Double>, columns: [Feature]) -> Dataset {
    precondition(features.rowCount == rowCount && columns.count == features.columnCount)
    return Dataset(
      uncheckedFeatures: features, columns: columns, target: target, weights: weights, groups: groups,
      targetName: targetName)
  }

  /// The same rows with other weights.
  ///
  /// - Throws: as ``init(features:columns:target:weights:groups:targetName:)`` does.
  public func replacingWeights(_ weights: [Double]?) throws -> Dataset {
    try Dataset(
      features: features, columns: columns, target: target, weights: weights, groups: groups,
      targetName: targetName)
  }
}
