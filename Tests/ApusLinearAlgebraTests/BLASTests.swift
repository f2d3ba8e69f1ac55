import ApusLinearAlgebra
import Testing

@Suite struct BLASTests {
  @Test func vectorRoutinesEqualTheirDefinition() {
    let x = [1.0, 2, 3]
    var y = [4.0, 5, 6]
    #expect(BLAS.dot(3, x, y) == 32)
    BLAS.axpy(3, 2, x, &y)
    #expect(y == [6, 9, 12])
    BLAS.scale(3, 0.5, &y)
    #expect(y == [3, 4.5, 6])
    #expect(BLAS.norm(2, [3.0, 4]) == 5)
    #expect(abs(BLAS.norm(2, [3e200, 4e200]) / 5e200 - 1) < 1e-15)
    #expect(BLAS.dot(0, x, y) == 0)
  }

  @Test func singlePrecisionVectorRoutinesEqualTheirDefinition() {
    let x: [Float] = [1, 2, 3]
    var y: [Float] = [4, 5, 6]
    #expect(BLAS.dot(3, x, y) == 32)
    BLAS.axpy(3, 2, x, &y)
    BLAS.scale(3, 0.5, &y)
    #expect(y == [3, 4.5, 6])
    #expect(BLAS.norm(2, [3, 4] as [Float]) == 5)
  }

  @Test func productsOnBuffersHonourStridesAndFactors() {
    // The 2 × 2 corner of a 2 × 3 buffer.
    let a = [1.0, 2, 99, 3, 4, 99]
    let b = [1.0, 1, 0, 1]
    var c = [10.0, 10, 10, 10]
    BLAS.gemm(
      m: 2, n: 2, k: 2, alpha: 2, a: a, aStride: 3, b: b, bStride: 2, beta: 1, c: &c, cStride: 2)
    #expect(c == [12, 16, 16, 24])
    var y = [1.0, 1]
    BLAS.gemv(transpose: true, m: 2, n: 2, a: a, aStride: 3, x: [1, 1], beta: -1, y: &y)
    #expect(y == [3, 5])
    BLAS.gemv(m: 2, n: 0, a: a, aStride: 3, x: [], beta: 0, y: &y)
    #expect(y == [0, 0])
    BLAS.ger(m: 2, n: 2, x: [1, 2], y: [3, 4], a: &c, aStride: 2)
    #expect(c == [15, 20, 22, 32])
  }

  @Test func gramAddsToTheLowerTriangleOnly() {
    let a = [1.0, 2, 3, 4]
    var c = [100.0, -1, 100, 100]
    BLAS.gram(n: 2, k: 2, a: a, aStride: 2, beta: 1, c: &c, cStride: 2)
    #expect(c == [110, -1, 114, 120])
    BLAS.outerGram(n: 2, k: 2, a: a, aStride: 2, c: &c, cStride: 2)
    #expect(c == [5, -1, 11, 25])
    // No rows: the sum is empty.
    BLAS.gram(n: 2, k: 0, a: a, aStride: 2, c: &c, cStride: 2)
    #expect(c == [0, -1, 0, 0])
  }

  @Test func choleskyOnBuffersSolvesAndRefuses() {
    var a = [4.0, 0, 2, 3]
    #expect(BLAS.choleskyFactor(n: 2, a: &a, aStride: 2))
    var x = [8.0, 7]
    BLAS.choleskySolve(n: 2, factor: a, stride: 2, b: &x)
    #expect(abs(x[0] - 1.25) < 1e-15 && abs(x[1] - 1.5) < 1e-15)
    var indefinite = [1.0, 0, 2, 1]
    #expect(!BLAS.choleskyFactor(n: 2, a: &indefinite, aStride: 2))
  }
}
