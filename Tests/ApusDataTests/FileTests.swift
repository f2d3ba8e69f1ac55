import ApusData
import ApusLinearAlgebra
import ApusParallel
import Foundation
import Testing

@Suite struct FileTests {
  private func expect(
    _ kind: ApusError.Kind, _ message: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
  ) {
    #expect(sourceLocation: sourceLocation) {
      try body()
    } throws: { error in
      (error as? ApusError)?.kind == kind && "\(error)".contains(message)
    }
  }

  @Test func missingFilesAndFoldersAreNamed() {
    expect(.file, "cannot open /nowhere/a.csv: No such file or directory") {
      _ = try Dataset(contentsOf: "/nowhere/a.csv")
    }
    expect(.file, "is a folder, not a file") {
      _ = try Dataset(contentsOf: FileManager.default.temporaryDirectory.path)
    }
  }

  @Test func gzipFilesMayHaveManyMembers() throws {
    let data = try Dataset(contentsOf: goldenPath("members.csv.gz"), options: TableOptions(target: "label"))
    #expect(data.rowCount == 40)
    #expect(data.features.column(0) == (0..<40).map(Double.init))
    #expect(data.classLabels == ["x", "y", "z"])
  }

  @Test func damagedGzipFilesAreRefused() throws {
    let bytes = try goldenBytes("members.csv.gz")
    try withTemporaryFile(bytes.prefix(100), extension: "csv.gz") { path in
      expect(.data, "the gzip file ends too early") { _ = try Dataset(contentsOf: path) }
    }
    var damaged = bytes
    damaged.replaceSubrange(30..<60, with: repeatElement(0xFF, count: 30))
    try withTemporaryFile(damaged, extension: "csv.gz") { path in
      expect(.data, "the compressed data is damaged") { _ = try Dataset(contentsOf: path) }
    }
  }

  @Test func textThatIsNotUTF8IsRefused() throws {
    try withTemporaryFile(Array("a,b\n1,x\n2,caf".utf8) + [0xE9, 0x0A], extension: "csv") { path in
      expect(.data, "csv:3: \"caf\u{FFFD}\" is not UTF-8 text") { _ = try Dataset(contentsOf: path) }
    }
    try withTemporaryFile([0xFF, 0xFE, 0x61, 0, 0x0A, 0], extension: "csv") { path in
      expect(.data, "the file is UTF-16 text") { _ = try Dataset(contentsOf: path) }
    }
  }

  @Test func writtenTablesAreReadBack() throws {
    var text = CSVText(header: ["id", "a, b", "x"])
    text.append(["one \"1\"", "two\nlines", CSVText.cell(0.1)])
    text.append([" padded ", "", CSVText.cell(.nan)])
    #expect(
      text.text == "id,\"a, b\",x\n\"one \"\"1\"\"\",\"two\nlines\",0.1\n\" padded \",,\n")
    try withTemporaryFile([], extension: "csv") { path in
      try text.write(to: path)
      let data = try Dataset(contentsOf: path, options: TableOptions(header: .present))
      #expect(data.featureNames == ["id", "a, b", "x"])
      #expect(data.columns[0].categories == [" padded ", "one \"1\""])
    }
    expect(.file, "cannot write /nowhere/out.csv") { try text.write(to: "/nowhere/out.csv") }
  }

  @Test func numbersAreWrittenShortAndExact() {
    #expect([3, -0.5, 1e300, 0.1].map(CSVText.cell) == ["3", "-0.5", "1e+300", "0.1"])
    #expect(Double(CSVText.cell(-0.0))?.sign == .minus)
  }
}
