import ApusLinearAlgebra
import ApusParallel

/// The right singular vectors of a matrix whose rows are scaled by the roots of weights, signs settled.
struct PrincipalDirections {
  /// The vectors in rows, in descending order of the singular values, `min(n, p) × p`.
  let rows: Matrix<Double>
  /// The squared singular values.
  let squaredSingularValues: [Double]

  /// - Parameter weights: nil for ones.
  init(_ matrix: Matrix<Double>, weights: [Double]?, _ compute: ComputeContext) throws {
    let (n, p) = (matrix.rowCount, matrix.columnCount)
    if n >= 10 * p {
      // The Gram matrix squares the condition number, which costs digits of the smallest values alone.
      let eigen = try SymmetricEigen(matrix.gram(weights: weights, compute))
      rows = eigen.vectorRows.gatheringRows((0..<p).reversed()).settlingSigns()
      squaredSingularValues = eigen.values.reversed().map { max(0, $0) }
    } else {
      var scaled = matrix
      if let weights {
        scaled.withUnsafeMutableElements { elements in
          for index in elements.indices { elements[index] *= weights[index / p].squareRoot() }
        }
      }
      let decomposition = try SingularValues(scaled)
      rows = decomposition.right.settlingSigns()
      squaredSingularValues = decomposition.values.map { $0 * $0 }
    }
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
