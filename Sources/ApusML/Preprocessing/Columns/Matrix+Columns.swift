import ApusLinearAlgebra

extension Matrix where Scalar == Double {
  /// The columns with the given indices, copied in that order.
  ///
  /// - Complexity: O(rows × indices).
  func gatheringColumns(_ indices: [Int]) -> Matrix {
    let width = columnCount
    return Matrix(rowCount: rowCount, columnCount: indices.count) { target in
      withUnsafeElements { source in
        indices.withUnsafeBufferPointer { indices in
          for row in 0..<rowCount {
            for position in 0..<indices.count {
              target[row &* indices.count &+ position] = source[row &* width &+ indices[position]]
            }
          }
        }
      }
    }
  }

  /// These columns, and after them those of another matrix with as many rows.
  func appendingColumns(_ other: Matrix) -> Matrix {
    precondition(rowCount == other.rowCount, "\(shape) and \(other.shape) cannot stand side by side")
    if columnCount == 0 { return other }
    if other.columnCount == 0 { return self }
    let width = columnCount + other.columnCount
    return Matrix(rowCount: rowCount, columnCount: width) { target in
      withUnsafeElements { left in
        other.withUnsafeElements { right in
          for row in 0..<rowCount {
            for column in 0..<columnCount {
              target[row &* width &+ column] = left[row &* columnCount &+ column]
            }
            for column in 0..<other.columnCount {
              target[row &* width &+ columnCount &+ column] = right[row &* other.columnCount &+ column]
            }
          }
        }
      }
    }
  }
}
