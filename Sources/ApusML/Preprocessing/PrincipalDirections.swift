import ApusData
import ApusLinearAlgebra
import ApusParallel

/// The right singular vectors of a matrix whose rows are scaled by the roots of weights, signs settled.
struct PrincipalDirections {
  /// The vectors in rows, in descending order of the singular values, `min(n, p) × p`.
  let rows: Matrix<Double>
  /// The squared singular values.
  let squaredSingularValues: [Double]

  /// So many rows for each column, and the covariance is decomposed instead of the rows: its condition number
  /// is squared, which costs digits of the smallest values alone.
  private static let rowsPerColumn = 10

  /// The directions of a data set's features around their means, and the means.
  ///
  /// With many rows, one pass over them forms the means and the covariance.
  ///
  /// - Throws: ``ApusError`` of kind `data` for missing values or categories, `numerical`, `cancelled`.
  static func aroundMeans(
    of data: Dataset, estimator: String, _ compute: ComputeContext
  ) throws -> (means: [Double], directions: PrincipalDirections) {
    guard data.rowCount >= rowsPerColumn * data.featureCount else {
      try data.requireFiniteNumbers(for: estimator)
      let means = try ColumnMoments(data.features, weights: data.weights, compute).means
      let centred = data.features.subtracting(means)
      return (means, try PrincipalDirections(centred, weights: data.weights, compute))
    }
    try data.requireNumericColumns(for: estimator)
    let moments = try CenteredMoments(
      features: data.features, target: nil, weights: data.weights, centered: true, compute)
    // A value that is not finite shows in the sums; finding its place takes another pass.
    if !moments.areFinite { try refuse(data, estimator) }
    return (moments.featureMeans, try PrincipalDirections(gram: moments.gram))
  }

  /// The directions of a matrix as it is.
  ///
  /// - Parameter weights: nil for ones.
  init(_ matrix: Matrix<Double>, weights: [Double]?, _ compute: ComputeContext) throws {
    let (n, p) = (matrix.rowCount, matrix.columnCount)
    if n >= Self.rowsPerColumn * p {
      try self.init(gram: matrix.gram(weights: weights, compute))
    } else {
      var scaled = matrix
      if let weights {
        scaled.withUnsafeMutableElements { elements in
          for index in elements.indices { elements[index] *= weights[index / p].squareRoot() }
        }
      }
      // The left vectors are not asked for: those of a small triangle cost little, those of all rows half the time.
      let decomposition = try SingularValues(n >= 2 * p ? scaled.triangularFactor() : scaled)
      self.init(
        rows: decomposition.right.settlingSigns(),
        squaredSingularValues: decomposition.values.map { $0 * $0 })
    }
  }

  private init(rows: Matrix<Double>, squaredSingularValues: [Double]) {
    self.rows = rows
    self.squaredSingularValues = squaredSingularValues
  }

  /// The eigenvectors of a Gram matrix, of which the lower triangle is read.
  private init(gram: Matrix<Double>) throws {
    let eigen = try SymmetricEigen(gram)
    self.init(
      rows: eigen.vectorRows.gatheringRows((0..<gram.rowCount).reversed()).settlingSigns(),
      squaredSingularValues: eigen.values.reversed().map { max(0, $0) })
  }
}

extension Matrix where Scalar == Double {
  /// The same rows, each turned so that its element of largest magnitude, the first of equals, is positive.
  fileprivate func settlingSigns() -> Matrix {
    var settled = self
    let width = columnCount
    settled.withUnsafeMutableElements { elements in
      for row in 0..<rowCount {
        let own = row * width..<(row + 1) * width
        var largest = row * width
        for index in own where abs(elements[index]) > abs(elements[largest]) { largest = index }
        if elements[largest] < 0 { for index in own { elements[index] = -elements[index] } }
      }
    }
    return settled
  }
}
