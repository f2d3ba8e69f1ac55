import ApusData
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

@Suite struct BundledDatasetTests {
  /// File, rows, features and SHA-256 as the folder's README states them.
  private static func readmeRows() throws -> [[String]] {
    let text = try String(
      contentsOf: repositoryRoot.appendingPathComponent("Datasets/README.md"), encoding: .utf8)
    return text.split(separator: "\n").map { line in
      line.split { "| `×".contains($0) }.map(String.init)
    }.filter { $0.count == 4 && $0[3].count == 64 }
  }

  @Test func filesAreThoseOfTheReadme() throws {
    let rows = try Self.readmeRows()
    #expect(rows.count == BundledDataset.all.count)
    for row in rows {
      let bundled = try #require(BundledDataset.all.first { $0.fileName == row[0] })
      let file = try Data(
        contentsOf: repositoryRoot.appendingPathComponent("Datasets/\(bundled.fileName)"))
      #expect(Digest(of: file).hexadecimal == row[3])
      #expect(Array(bundled.file.bytes) == Array(file))
      let data = try Dataset(bundled: bundled.name)
      #expect([data.rowCount, data.featureCount] == [Int(row[1]), Int(row[2])])
      #expect(data.targetName == bundled.target)
    }
  }

  @Test func classesKeepTheLabelsOfTheFile() throws {
    #expect(try Dataset(bundled: "iris").classLabels == ["setosa", "versicolor", "virginica"])
    #expect(try Dataset(bundled: "digits").classLabels == (0..<10).map(String.init))
    #expect(try Dataset(bundled: "letter").classLabels.count == 26)
    guard case .values(let values) = try Dataset(bundled: "diabetes").target else {
      Issue.record("the target of diabetes is not numeric")
      return
    }
    #expect(values.prefix(3) == [151, 75, 141])
  }

  @Test func anUnknownNameIsAnsweredWithTheNearest() {
    #expect {
      try Dataset(bundled: "irsi")
    } throws: { error in
      "\(error)".contains("did you mean 'iris'?")
    }
  }
}
