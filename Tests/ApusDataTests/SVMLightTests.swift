import ApusData
import ApusLinearAlgebra
import ApusParallel
import Testing

@Suite struct SVMLightTests {
  @Test func filesOfScikitLearnAreRead() throws {
    let table = Matrix<Double>([[0, 7, 3], [10, 6, 2], [9, 5, 1], [8, 4, 0]])
    let ones = try Dataset(contentsOf: goldenPath("one-based.svm"))
    #expect(ones.features == table)
    #expect(ones.target == .values([1, -1, 1, 2.5]))
    let zeros = try Dataset(contentsOf: goldenPath("zero-based.svm"))
    #expect(zeros.features == table)
    #expect(zeros.target == .classes(indices: [1, 0, 1, 0], labels: ["-1", "1"]))
    #expect(zeros.groups == [1, 1, 2, 2])
  }

  @Test func tokensMayComeInAnyOrderAndWithComments() throws {
    let data = try Dataset(
      svmlightText: "# made by hand\n+1 3:0.5 1:2\t# note\r\n\n-1\n+1 2:nan",
      options: TableOptions(targetKind: .classes))
    #expect(data.features.row(0) == [2, 0, 0.5])
    #expect(data.features.row(1) == [0, 0, 0])
    #expect(data.features[2, 1].isNaN)
    #expect(data.classLabels == ["-1", "+1"])
  }

  @Test func aModelGivesTheNumberOfFeatures() throws {
    #expect(try Dataset(svmlightText: "1 1:2\n2 2:1\n", featureCount: 4).featureCount == 4)
    #expect {
      try Dataset(svmlightText: "1 1:2\n2 9:1\n", featureCount: 4)
    } throws: { "\($0)".contains("found feature 9, but only 4 are expected") }
  }

  @Test(arguments: [
    ("1 1:2\n1 2\n", "f.svm:2: expected index:value, found \"2\""),
    ("1 1:2\n1 a:2\n", "f.svm:2: expected index:value, found \"a:2\""),
    ("1 1:x\n", "f.svm:1: expected a number after the colon, found \"1:x\""),
    ("1:2\n", "f.svm:1: expected one target, found \"1:2\""),
    ("1,2 1:2\n", "f.svm:1: expected one target, found \"1,2\""),
    ("1 qid:x 1:2\n", "f.svm:1: expected a whole number after qid:, found \"qid:x\""),
    ("1 2:3 2:4\n", "f.svm:1: the feature 2 comes twice"),
    ("# nothing\n", "f.svm: the file has no rows"),
    ("1 9999999999:1\n2 1:1\n", "f.svm: a dense table of 2 × 9999999999 does not fit"),
  ])
  func badLinesAreRefused(text: String, message: String) {
    #expect {
      try Dataset(svmlightText: text, name: "f.svm")
    } throws: { "\($0)".hasPrefix(message) }
  }

  @Test func everyTruncationIsReadOrRefused() throws {
    let text = "1 qid:3 1:2.5 3:-1e5 # c\n-1 qid:4 2:nan\n"
    for count in 0...text.count {
      do { _ = try Dataset(svmlightText: String(text.prefix(count))) } catch { #expect(error is ApusError) }
    }
  }
}
