import ApusData
import ApusLinearAlgebra
import ApusParallel
import Testing

@Suite struct NumPyTests {
  private static let table = Matrix<Double>([[0, 7, 3], [10, 6, 2], [9, 5, 1], [8, 4, 0]])

  private static let numericFiles =
    ["little", "big"].flatMap { order in
      ["f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"].map { "\(order)-\($0)" }
    } + ["fortran-f8", "fortran-big-i4", "version-1", "version-2", "version-3"]

  @Test(arguments: numericFiles)
  func everyTypeOrderAndVersionIsRead(name: String) throws {
    let data = try Dataset(contentsOf: goldenPath("\(name).npy"))
    #expect(data.features == Self.table)
    #expect(data.featureNames == ["x0", "x1", "x2"])
  }

  @Test func booleansAndListsAreRead() throws {
    let booleans = try Dataset(npy: goldenPath("bool.npy"))
    #expect(booleans.features == Matrix([[0, 1, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]]))
    #expect(try Dataset(npy: goldenPath("list.npy")).features == Matrix([[0], [10], [9], [8]]))
  }

  @Test func columnsAreTakenByIndexOrName() throws {
    let options = TableOptions(target: -1, targetKind: .values, weights: "x0")
    let data = try Dataset(contentsOf: goldenPath("little-f8.npy"), options: options)
    #expect(data.features == Matrix([[7], [6], [5], [4]]))
    #expect(data.target == .values([3, 2, 1, 0]))
    #expect(data.weights == [0, 10, 9, 8])
    #expect(data.targetName == "x2")
  }

  @Test(arguments: ["stored.npz", "deflated.npz"])
  func archivesAreRead(name: String) throws {
    let data = try Dataset(contentsOf: goldenPath(name))
    #expect(data.features == Self.table)
    #expect(data.featureNames == ["u", "v", "w"])
    #expect(data.target == .classes(indices: [1, 0, 1, 2], labels: ["a", "b", "é"]))
    #expect(data.weights == [1, 2, 0.5, 0])
    #expect(data.groups == [3, 3, 1, 2])
    let byName = try Dataset(contentsOf: goldenPath(name), options: TableOptions(target: "groups"))
    #expect(byName.target == .values([3, 3, 1, 2]))
  }

  @Test(arguments: [
    ("cube.npy", "an array of shape [2, 2, 2] is not a table"),
    ("complex.npy", "arrays of type <c16 cannot be read"),
    ("no-features.npz", "the archive has no features; name the table X; arrays: a.npy"),
  ])
  func otherArraysAreRefused(name: String, message: String) {
    #expect {
      try Dataset(contentsOf: goldenPath(name))
    } throws: {
      "\($0)".contains(message) && (($0 as? ApusError)?.location?.file).map { $0.contains(name) } == true
    }
  }

  @Test(arguments: ["little-f8.npy", "version-2.npy", "stored.npz", "deflated.npz"])
  func everyTruncationIsRefused(name: String) throws {
    let bytes = try goldenBytes(name)
    let suffix = String(name.suffix(3))
    for count in stride(from: 0, to: bytes.count, by: bytes.count > 1000 ? 7 : 1) {
      try withTemporaryFile(bytes.prefix(count), extension: suffix) { path in
        let error = #expect(throws: ApusError.self) { try Dataset(contentsOf: path) }
        #expect(error?.kind == .data)
      }
    }
  }

  @Test(arguments: ["little-f8.npy", "stored.npz", "deflated.npz"])
  func changedBytesAreReadOrRefused(name: String) throws {
    let bytes = try goldenBytes(name)
    var random = Seed(8).randomSource()
    for _ in 0..<400 {
      var changed = bytes
      changed[random.integer(below: changed.count)] = UInt8(random.integer(below: 256))
      try withTemporaryFile(changed, extension: String(name.suffix(3))) { path in
        do { _ = try Dataset(contentsOf: path) } catch { #expect(error is ApusError) }
      }
    }
  }

  @Test func matricesAreWrittenAndMapped() throws {
    try withTemporaryFile([], extension: "npy") { path in
      try Self.table.write(npy: path)
      #expect(try Dataset(npy: path).features == Self.table)
    }
    // What NumPy itself writes for the same table.
    #expect(Self.table.npyBytes == (try goldenBytes("little-f8.npy")))
  }
}
