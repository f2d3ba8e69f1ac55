import ApusParallel

extension Matrix {
  /// Checks that a matrix is square.
  func requireSquare(for method: String) throws {
    guard rowCount == columnCount else {
      throw ApusError(.shape, "\(method) needs a square matrix, but it is \(shape)")
    }
  }

  /// Checks that all elements are finite; LAPACK's iterations need not end otherwise.
  func requireFinite(for method: String) throws {
    // x − x is zero for finite numbers only.
    let check = withUnsafeElements { $0.reduce(0) { $0 + ($1 - $1) } }
    guard check == 0 else {
      throw ApusError(.numerical, "\(method) was given a matrix with infinite or missing elements (NaN)")
    }
  }
}
