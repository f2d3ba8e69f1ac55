import ApusData
import ApusLinearAlgebra
import ApusParallel
import Testing

@Suite struct SharedDatasetTests {
  private func data() throws -> Dataset {
    try Dataset(
      csvText: "size,colour,w,g,label\n1,red,2,1,yes\n2,blue,1,1,no\n,red,0.5,2,yes\n",
      options: TableOptions(target: "label", weights: "w", groups: "g"))
  }

  @Test func layoutsAreReadBackWithoutACopy() throws {
    let data = try data()
    let layout = data.layout()
    let copy = try Dataset(layout: layout)
    #expect(copy.columns == data.columns)
    #expect(copy.target == data.target)
    #expect(copy.weights == [2, 1, 0.5])
    #expect(copy.groups == [1, 1, 2])
    #expect(copy.targetName == "label")
    #expect(copy.digest == data.digest)
    let start = copy.features.withUnsafeElements { UnsafeRawPointer($0.baseAddress) }
    #expect(start == layout.regions[0].bytes.baseAddress)
    #expect(start == data.features.withUnsafeElements { UnsafeRawPointer($0.baseAddress) })
  }

  @Test func digestsTellDataApartAndNotItsSource() throws {
    let matrix = Matrix<Double>([[1, 2.5], [3, 4]])
    let fromText = try Dataset(csvText: "1,2.5\n3,4\n")
    let fromCode = try Dataset(features: matrix)
    let fromArray = try withTemporaryFile(matrix.npyBytes, extension: "npy") { try Dataset(npy: $0) }
    #expect(fromText.digest == fromCode.digest)
    #expect(fromArray.digest == fromCode.digest)
    #expect(fromCode.gatheringRows([0, 1]).digest == fromCode.digest)
    #expect(fromCode.gatheringRows([1, 0]).digest != fromCode.digest)
    #expect(try fromCode.replacingWeights([1, 1]).digest != fromCode.digest)
    let renamed = fromCode.replacingFeatures(matrix, columns: [Feature(name: "a"), Feature(name: "b")])
    #expect(renamed.digest != fromCode.digest)
  }

  @Test func foreignLayoutsAreRefused() throws {
    let layout = try data().layout()
    let broken = [
      SharedLayout(header: [1, 2, 3], regions: layout.regions),
      SharedLayout(header: layout.header, regions: []),
      SharedLayout(header: layout.header, regions: layout.regions.dropLast()),
      SharedLayout(header: layout.header, regions: layout.regions.reversed()),
    ]
    for layout in broken {
      #expect {
        try Dataset(layout: layout)
      } throws: { ($0 as? ApusError)?.kind == .format }
    }
  }

  @Test func gatheringKeepsRowsTogether() throws {
    let rows = try data().gatheringRows([2, 0, 2])
    #expect(rows.target == .classes(indices: [1, 1, 1], labels: ["no", "yes"]))
    #expect(rows.weights == [0.5, 2, 0.5])
    #expect(rows.groups == [2, 1, 2])
    #expect(rows.features.column(1) == [1, 1, 1])
  }
}
