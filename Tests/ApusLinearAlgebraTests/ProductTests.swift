import ApusLinearAlgebra
import ApusParallel
import ApusTestSupport
import Testing

@Suite struct ProductTests {
  /// The product by its definition.
  private func reference<Scalar>(_ a: Matrix<Scalar>, _ b: Matrix<Scalar>) -> Matrix<Scalar> {
    var c = Matrix<Scalar>(rowCount: a.rowCount, columnCount: b.columnCount)
    for i in 0..<a.rowCount {
      for j in 0..<b.columnCount {
        c[i, j] = (0..<a.columnCount).reduce(0) { $0 + a[i, $1] * b[$1, j] }
      }
    }
    return c
  }

  @Test(arguments: [(1, 1, 1), (2, 3, 4), (17, 5, 9), (1, 40, 1), (70, 1, 33), (130, 31, 2)])
  func productsEqualTheirDefinition(m: Int, n: Int, k: Int) throws {
    let a: Matrix<Double> = .random(m, k, seed: 1)
    let b: Matrix<Double> = .random(k, n, seed: 2)
    let expected = reference(a, b)
    #expect(try relativeDifference(a.multiplied(by: b).elements, expected.elements) < 1e-13)
    let bTransposed = b.transposed()
    let aTransposed = a.transposed()
    #expect(
      try relativeDifference(a.multiplied(byTransposeOf: bTransposed).elements, expected.elements) < 1e-13)
    #expect(
      try relativeDifference(aTransposed.transposedMultiplied(by: b).elements, expected.elements) < 1e-13)
    let x = b.column(0)
    #expect(try relativeDifference(a.multiplied(by: x), expected.column(0)) < 1e-13)
    #expect(try relativeDifference(aTransposed.transposedMultiplied(by: x), expected.column(0)) < 1e-13)
  }

  @Test func singlePrecisionProductsEqualTheirDefinition() throws {
    let a: Matrix<Float> = .random(31, 12, seed: 1)
    let b: Matrix<Float> = .random(12, 7, seed: 2)
    let expected = reference(a, b).elements.map(Double.init)
    #expect(try relativeDifference(a.multiplied(by: b).elements.map(Double.init), expected) < 1e-6)
    let gram = try a.gram()
    #expect(
      relativeDifference(
        gram.elements.map(Double.init), reference(a.transposed(), a).elements.map(Double.init)) < 1e-6)
  }

  @Test func gramIsTheProductWithItsTransposeAndSymmetric() throws {
    let x: Matrix<Double> = .random(57, 6, seed: 3)
    let gram = try x.gram()
    #expect(relativeDifference(gram.elements, reference(x.transposed(), x).elements) < 1e-13)
    #expect(gram == gram.transposed())
    let outer = try x.outerGram()
    #expect(relativeDifference(outer.elements, reference(x, x.transposed()).elements) < 1e-13)
    #expect(outer == outer.transposed())
    // Of several blocks, the last of which is not full.
    let wide: Matrix<Double> = .random(331, 97, seed: 5)
    let large = try wide.outerGram()
    #expect(relativeDifference(large.elements, reference(wide, wide.transposed()).elements) < 1e-13)
    #expect(large == large.transposed())
    #expect(try large == wide.outerGram(ComputeContext(threads: 3)))
  }

  @Test func weightedGramEqualsRepeatedRows() throws {
    let x: Matrix<Double> = .random(4, 3, seed: 4)
    let repeated = x.gatheringRows([0, 2, 2, 3, 3, 3])
    #expect(
      try relativeDifference(x.gram(weights: [1, 0, 2, 3]).elements, repeated.gram().elements) < 1e-14)
    #expect(throws: ApusError.self) { try x.gram(weights: [1, -1, 0, 0]) }
    #expect(throws: ApusError.self) { try x.gram(weights: [1]) }
  }

  @Test func shapesThatDoNotFitAreRefusedWithBothShapes() {
    let a = Matrix<Double>(rowCount: 2, columnCount: 3)
    let b = Matrix<Double>(rowCount: 4, columnCount: 5)
    for attempt in [
      { try a.multiplied(by: b) }, { try a.multiplied(byTransposeOf: b) },
      { try a.transposedMultiplied(by: b) },
    ] as [() throws -> Matrix<Double>] {
      #expect {
        _ = try attempt()
      } throws: { error in
        (error as? ApusError)?.kind == .shape && "\(error)".contains("2 × 3")
          && "\(error)".contains("4 × 5")
      }
    }
    #expect {
      try a.multiplied(by: [1, 2])
    } throws: { error in
      (error as? ApusError)?.kind == .shape && "\(error)".contains("2 × 3")
        && "\(error)".contains("vector of 2")
    }
  }

  @Test func emptyMatricesHaveEmptyOrZeroProducts() throws {
    let noRows = Matrix<Double>(rowCount: 0, columnCount: 3)
    let noColumns = Matrix<Double>(rowCount: 3, columnCount: 0)
    #expect(try noRows.multiplied(by: noColumns).shape == "0 × 0")
    #expect(try noColumns.multiplied(by: noRows) == Matrix(rowCount: 3, columnCount: 3))
    #expect(try noRows.gram() == Matrix(rowCount: 3, columnCount: 3))
    #expect(try noColumns.gram().shape == "0 × 0")
    #expect(try noColumns.multiplied(by: [Double]()) == [0, 0, 0])
    #expect(try noRows.transposedMultiplied(by: [Double]()) == [0, 0, 0])
    #expect(noRows.transposed() == noColumns)
  }

  @Test func bitsAreTheSameAtEveryThreadCount() throws {
    let a: Matrix<Double> = .random(20_011, 23, seed: 5)
    let b: Matrix<Double> = .random(20_011, 7, seed: 6)
    let right: Matrix<Double> = .random(23, 19, seed: 7)
    func all(_ threads: Int) throws -> [[Double]] {
      let compute = ComputeContext(threads: threads)
      return try [
        a.transposedMultiplied(by: b, compute).elements, a.gram(compute).elements,
        a.multiplied(by: right, compute).elements, a.multiplied(by: right.column(0), compute),
        a.transposedMultiplied(by: b.column(0), compute),
      ]
    }
    let expected = try all(1)
    #expect(try all(2) == expected)
    #expect(try all(4) == expected)
    // The blocks must not lose a row.
    #expect(
      relativeDifference(expected[1], reference(a.transposed(), a).elements) < 1e-12)
  }

  @Test func cancelledWorkThrows() {
    let cancellation = Cancellation()
    cancellation.cancel()
    let a = Matrix<Double>(rowCount: 100_000, columnCount: 4)
    #expect {
      try a.gram(ComputeContext(threads: 2, cancellation: cancellation))
    } throws: { ($0 as? ApusError)?.kind == .cancelled }
  }

  @Test func transposingTwiceGivesTheMatrixBack() {
    for (rows, columns) in [(1, 1), (3, 70), (33, 64), (100, 31)] {
      let a: Matrix<Double> = .random(rows, columns, seed: 8)
      #expect(a.transposed().transposed() == a)
      #expect(a.transposed()[columns - 1, rows - 1] == a[rows - 1, columns - 1])
    }
  }
}

extension Matrix {
  /// Standard normal elements.
  static func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var random = Seed(seed).randomSource()
    return Matrix(rowCount: rows, columnCount: columns) { elements in
      for index in elements.indices { elements[index] = Scalar(random.normal()) }
    }
  }
}
