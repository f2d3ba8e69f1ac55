import ApusLinearAlgebra
import ApusParallel
import Testing

@Suite struct MatrixTests {
  @Test func writingACopyLeavesTheOriginal() {
    let a = Matrix<Double>([[1, 2], [3, 4]])
    var b = a
    b[0, 1] = 9
    #expect(a[0, 1] == 2)
    #expect(b[0, 1] == 9)
  }

  @Test func writingARangeOfRowsLeavesTheWhole() {
    let a = Matrix<Double>([[1, 2], [3, 4], [5, 6]])
    var tail = a.rows(1..<3)
    #expect(tail == Matrix([[3, 4], [5, 6]]))
    tail[0, 0] = 0
    #expect(a[1, 0] == 3)
  }
}
