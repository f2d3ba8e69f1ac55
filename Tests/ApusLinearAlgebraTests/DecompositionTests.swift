import ApusLinearAlgebra
import ApusParallel
import ApusTestSupport
import Testing

@Suite struct DecompositionTests {
  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    let name: String
    let a, b, gram, product, leastSquares: [[Double]]
    let rank: Int
    let singularValues, eigenvalues: [Double]

    var testDescription: String { name }
  }

  static let cases: [Case] = (try? Golden.load("linear_algebra.json")) ?? []

  @Test func goldensAreThere() { #expect(Self.cases.count == 10) }

  @Test(arguments: cases) func productsAgreeWithNumPy(_ golden: Case) throws {
    let a = Matrix(golden.a)
    #expect(try relativeDifference(a.gram().elements, golden.gram.flatMap(\.self)) < 1e-14)
    #expect(
      try relativeDifference(
        a.transposedMultiplied(by: Matrix(golden.b)).elements, golden.product.flatMap(\.self)) < 1e-14)
  }

  @Test(arguments: cases) func singularValuesAgreeWithNumPyAndRebuildTheMatrix(_ golden: Case) throws {
    let a = Matrix(golden.a)
    let svd = try SingularValues(a)
    #expect(relativeDifference(svd.values, golden.singularValues) < 1e-13)
    #expect(svd.rank() == golden.rank)
    let scaled = Matrix(svd.left.rowArrays.map { zip($0, svd.values).map { $0 * $1 } })
    #expect(try relativeDifference(scaled.multiplied(by: svd.right).elements, a.elements) < 1e-13)
    #expect(try distanceFromIdentity(svd.left.gram()) < 1e-13)
    #expect(try distanceFromIdentity(svd.right.transposed().gram()) < 1e-13)
  }

  @Test(arguments: cases) func triangularFactorsHaveTheGramMatrixAndTheSingularValues(_ golden: Case) throws {
    let a = Matrix(golden.a)
    guard a.rowCount >= a.columnCount else {
      #expect(throws: ApusError.self) { try a.triangularFactor() }
      return
    }
    let factor = try a.triangularFactor()
    #expect(factor.rowCount == a.columnCount && factor.columnCount == a.columnCount)
    for (row, elements) in factor.rowArrays.enumerated() {
      #expect(elements.prefix(row).allSatisfy { $0 == 0 })
    }
    #expect(try relativeDifference(factor.gram().elements, golden.gram.flatMap(\.self)) < 1e-13)
    #expect(relativeDifference(try SingularValues(factor).values, golden.singularValues) < 1e-13)
  }

  @Test(arguments: cases) func eigenvaluesAgreeWithNumPyAndRebuildTheMatrix(_ golden: Case) throws {
    let gram = Matrix(golden.gram)
    let eigen = try SymmetricEigen(gram)
    #expect(relativeDifference(eigen.values, golden.eigenvalues) < 1e-13)
    let scaled = Matrix(
      zip(eigen.vectorRows.rowArrays, eigen.values).map { row, value in row.map { $0 * value } })
    #expect(
      try relativeDifference(eigen.vectorRows.transposedMultiplied(by: scaled).elements, gram.elements)
        < 1e-13)
    #expect(try distanceFromIdentity(eigen.vectorRows.gram()) < 1e-13)
  }

  @Test(arguments: cases) func leastSquaresAgreesWithNumPy(_ golden: Case) throws {
    let result = try LeastSquares(Matrix(golden.a), Matrix(golden.b))
    #expect(result.rank == golden.rank)
    for column in 0..<2 {
      #expect(
        relativeDifference(
          result.solution.column(column), Matrix(golden.leastSquares).column(column)) < 1e-9)
    }
    #expect(relativeDifference(result.singularValues, golden.singularValues) < 1e-13)
  }

  @Test(arguments: [1, 2, 5, 64, 200]) func choleskyRebuildsTheMatrixAndSolves(n: Int) throws {
    let x: Matrix<Double> = .random(2 * n + 1, n, seed: 9)
    let a = try x.gram()
    let cholesky = try Cholesky(a)
    #expect(
      try relativeDifference(
        cholesky.factor.multiplied(byTransposeOf: cholesky.factor).elements, a.elements) < 1e-13)
    let solution: Matrix<Double> = .random(n, 3, seed: 10)
    let right = try a.multiplied(by: solution)
    #expect(try relativeDifference(cholesky.solve(right).elements, solution.elements) < 1e-9)
    #expect(try relativeDifference(cholesky.solve(right.column(1)), solution.column(1)) < 1e-9)
  }

  @Test func singlePrecisionDecompositionsRebuildTheMatrix() throws {
    let x: Matrix<Float> = .random(20, 6, seed: 11)
    let a = try x.gram()
    let expected = a.elements.map(Double.init)
    let factor = try Cholesky(a).factor
    #expect(
      try relativeDifference(factor.multiplied(byTransposeOf: factor).elements.map(Double.init), expected)
        < 1e-5)
    let values = try SymmetricEigen(a).values.map { Double($0.squareRoot()) }
    #expect(try relativeDifference(SingularValues(x).values.map(Double.init), values.reversed()) < 1e-5)
    let truth: Matrix<Float> = .random(6, 2, seed: 12)
    let solved = try LeastSquares(x, x.multiplied(by: truth)).solution
    #expect(relativeDifference(solved.elements.map(Double.init), truth.elements.map(Double.init)) < 1e-4)
  }

  @Test func matricesThatAreNotPositiveDefiniteAreRefused() {
    #expect {
      try Cholesky(Matrix([[1.0, 2], [2, 1]]))
    } throws: { error in
      (error as? ApusError)?.kind == .numerical && "\(error)".contains("order 2")
    }
    #expect(throws: ApusError.self) { try Cholesky(Matrix([[0.0]])) }
    #expect(throws: ApusError.self) { try Cholesky(Matrix([[Double.nan]])) }
    #expect(throws: ApusError.self) { try Cholesky(Matrix([[1.0, 0], [.nan, 1]])) }
    #expect(throws: ApusError.self) { try Cholesky(Matrix([[Double.infinity]])) }
  }

  @Test func shapesThatDoNotFitAreRefusedWithBothShapes() throws {
    let tall = Matrix<Double>(rowCount: 3, columnCount: 2)
    #expect(throws: ApusError.self) { try Cholesky(tall) }
    #expect(throws: ApusError.self) { try SymmetricEigen(tall) }
    let cholesky = try Cholesky(Matrix([[1.0, 0], [0, 1]]))
    #expect(throws: ApusError.self) { try cholesky.solve([1.0]) }
    for attempt in [
      { try cholesky.solve(tall) }, { try LeastSquares(Matrix([[1.0, 2], [3, 4]]), tall).solution },
    ]
      as [() throws -> Matrix<Double>]
    {
      #expect {
        _ = try attempt()
      } throws: { error in
        (error as? ApusError)?.kind == .shape && "\(error)".contains("2 × 2") && "\(error)".contains("3 × 2")
      }
    }
  }

  @Test func elementsThatAreNotFiniteAreRefused() {
    for bad in [Double.nan, .infinity] {
      let matrix = Matrix([[1.0, 2], [2, bad]])
      #expect(throws: ApusError.self) { try SymmetricEigen(matrix) }
      #expect(throws: ApusError.self) { try SingularValues(matrix) }
      #expect(throws: ApusError.self) { try LeastSquares(matrix, Matrix([[1.0], [1]])) }
    }
  }

  @Test func emptyMatricesDecompose() throws {
    let empty = Matrix<Double>(rowCount: 0, columnCount: 0)
    #expect(try Cholesky(empty).solve([Double]()).isEmpty)
    #expect(try SymmetricEigen(empty).values.isEmpty)
    let svd = try SingularValues(Matrix<Double>(rowCount: 0, columnCount: 3))
    #expect(svd.right.shape == "0 × 3" && svd.rank() == 0)
    let solution = try LeastSquares(
      Matrix<Double>(rowCount: 0, columnCount: 2), Matrix(rowCount: 0, columnCount: 1))
    #expect(solution.solution == Matrix([[0.0], [0]]))
  }

  private func distanceFromIdentity(_ matrix: Matrix<Double>) -> Double {
    var largest = 0.0
    for row in 0..<matrix.rowCount {
      for column in 0..<matrix.columnCount {
        largest = max(largest, abs(matrix[row, column] - (row == column ? 1 : 0)))
      }
    }
    return largest
  }
}
