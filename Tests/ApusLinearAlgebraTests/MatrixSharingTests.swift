import ApusLinearAlgebra
import ApusParallel
import Foundation
import Testing

@Suite struct MatrixSharingTests {
  @Test func aLayoutGivesTheMatrixBackAndSharesItsMemory() throws {
    let whole: Matrix<Double> = .random(6, 3, seed: 1)
    let part = whole.rows(2..<5)
    let back = try Matrix<Double>(layout: part.layout())
    #expect(back == part)
    let addresses = [part, back].map { $0.withUnsafeElements { UInt(bitPattern: $0.baseAddress) } }
    #expect(addresses[0] == addresses[1])
    #expect(back.digest == part.digest)
    #expect(part.digest != whole.digest)
  }

  @Test func writingAfterSharingLeavesTheRegionAlone() {
    var matrix = Matrix<Double>([[1, 2]])
    let region = matrix.sharedElements
    matrix[0, 0] = 9
    #expect(region.bytes.load(as: Double.self) == 1)
  }

  @Test func shapesOfTheSameElementsHaveDifferentDigests() {
    let row = Matrix<Double>([[1, 2]])
    let column = Matrix<Double>([[1], [2]])
    #expect(row.digest != column.digest)
  }

  @Test func foreignLayoutsAreRefused() {
    let layout = Matrix<Float>([[1, 2]]).layout()
    #expect { try Matrix<Double>(layout: layout) } throws: { ($0 as? ApusError)?.kind == .format }
    let short = SharedLayout(header: [1, 2, 3], regions: layout.regions)
    #expect { try Matrix<Float>(layout: short) } throws: { ($0 as? ApusError)?.kind == .format }
    let none = SharedLayout(header: layout.header, regions: [])
    #expect { try Matrix<Float>(layout: none) } throws: { ($0 as? ApusError)?.kind == .format }
    let negative = [Int64(-1), -2].withUnsafeBytes { Array($0) }
    #expect {
      try Matrix<Float>(layout: SharedLayout(header: negative, regions: layout.regions))
    } throws: { ($0 as? ApusError)?.kind == .format }
  }

  @Test func aFileBacksAMatrixWithoutBeingWritten() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).f8").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let values: [Double] = [-1, 1, 2, 3, 4, 5, 6]
    try values.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: path))
    var matrix = try Matrix<Double>(mapping: path, rowCount: 3, columnCount: 2, byteOffset: 8)
    #expect(matrix == Matrix([[1, 2], [3, 4], [5, 6]]))
    matrix[0, 0] = 7
    #expect(try Matrix<Double>(mapping: path, rowCount: 1, columnCount: 7).elements == values)
    #expect {
      try Matrix<Double>(mapping: path, rowCount: 4, columnCount: 2)
    } throws: { error in
      (error as? ApusError)?.kind == .shape && "\(error)".contains(path)
    }
    #expect {
      try Matrix<Double>(mapping: path, rowCount: 1, columnCount: 1, byteOffset: 3)
    } throws: { ($0 as? ApusError)?.kind == .shape }
    #expect {
      try Matrix<Double>(mapping: path + ".missing", rowCount: 1, columnCount: 1)
    } throws: { ($0 as? ApusError)?.kind == .file }
  }

  @Test func storedMatricesComeBackExactly() throws {
    let matrix: Matrix<Double> = .random(5, 4, seed: 2)
    let data = try JSONEncoder().encode(matrix.rows(1..<4))
    #expect(try JSONDecoder().decode(Matrix<Double>.self, from: data) == matrix.rows(1..<4))
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Matrix<Float>.self, from: data) }
  }
}
