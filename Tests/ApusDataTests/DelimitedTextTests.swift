import ApusData
import ApusLinearAlgebra
import ApusParallel
import Testing

@Suite struct DelimitedTextTests {
  private func read(_ text: String, _ options: TableOptions = TableOptions()) throws -> Dataset {
    try Dataset(csvText: text, name: "t.csv", options: options)
  }

  @Test func columnsAreNumbersCategoriesAndTarget() throws {
    let data = try read(
      "size,colour,weight,label\n1.5,red,2,yes\n-2e1,blue,1,no\nNA,?,0.5,yes\n",
      TableOptions(target: "label", weights: "weight"))
    #expect(data.featureNames == ["size", "colour"])
    #expect(data.columns[1].categories == ["blue", "red"])
    #expect(data.features.row(0) == [1.5, 1])
    #expect(data.features.row(1) == [-20, 0])
    #expect(data.features.row(2).allSatisfy { $0.isNaN })
    #expect(data.weights == [2, 1, 0.5])
    #expect(data.target == .classes(indices: [1, 0, 1], labels: ["no", "yes"]))
    #expect(data.targetName == "label")
  }

  @Test(arguments: ["\n", "\r\n"], [",", "\t", ";"])
  func quotesNewlinesAndDelimiters(newline: String, delimiter: String) throws {
    let rows = [
      "name\(delimiter)x\(delimiter)y",
      "\"a \"\"b\"\"\(delimiter) c\(newline)d\"\(delimiter)\"1\"\(delimiter)2",
      "", "plain \(delimiter) 3 \(delimiter)4",
    ]
    let data = try read("\u{FEFF}" + rows.joined(separator: newline))
    #expect(data.featureNames == ["name", "x", "y"])
    #expect(data.columns[0].categories == ["a \"b\"\(delimiter) c\(newline)d", "plain"])
    #expect(data.features == Matrix([[0, 1, 2], [1, 3, 4]]))
  }

  @Test func headersAreRecognised() throws {
    #expect(try read("1,2\n3,4\n").featureNames == ["x0", "x1"])
    #expect(try read("a,b\n3,4\n").featureNames == ["a", "b"])
    #expect(try read("0,1,target\n3,4,5\n", TableOptions(target: "target")).featureNames == ["0", "1"])
    #expect(try read("1,2\n3,4\n", TableOptions(header: .present)).featureNames == ["1", "2"])
    #expect(try read("a,1\nb,2\n").rowCount == 2)
    #expect(try read("a,b\nc,d\n", TableOptions(header: .absent)).rowCount == 2)
  }

  @Test func targetsByIndexAndKind() throws {
    let text = "a,b,c\n1,1.0,5\n2,2.0,6\n3,1.0,7\n4,2.0,8\n"
    #expect(
      try read(text, TableOptions(target: 1)).target
        == .classes(indices: [0, 1, 0, 1], labels: ["1.0", "2.0"]))
    #expect(try read(text, TableOptions(target: -1)).target == .values([5, 6, 7, 8]))
    #expect(
      try read(text, TableOptions(target: "c", targetKind: .classes)).classLabels == ["5", "6", "7", "8"])
    #expect(
      try read(text, TableOptions(target: "b", targetKind: .values)).target == .values([1, 2, 1, 2]))
  }

  @Test func groupsAreNumbersOrPositions() throws {
    #expect(try read("g,x\n7,1\n-3,2\n", TableOptions(groups: "g")).groups == [7, -3])
    #expect(try read("g,x\nb,1\na,2\nb,3\n", TableOptions(groups: "g")).groups == [1, 0, 1])
  }

  @Test func columnsCanBeDroppedAndForcedToCategories() throws {
    let data = try read("a,b,c\n10,1,2\n9,1,2\n", TableOptions(dropped: ["b"], categorical: [0]))
    #expect(data.columns == [Feature(name: "a", categories: ["9", "10"]), Feature(name: "c")])
    #expect(data.features == Matrix([[1, 2], [0, 2]]))
  }

  @Test(arguments: [
    ("", "t.csv: the file is empty"),
    ("a,b\n", "t.csv: the file has a header but no rows"),
    ("a,b\n1,2\n1,2,3\n", "t.csv:3: expected 2 cells, found 3"),
    ("a,b\n1,2\n\n1\n", "t.csv:4: expected 2 cells, found 1"),
    ("a,b\n1,2\n3,4\n1,x\n", "t.csv:4:2: expected a number in column 'b', found \"x\""),
    ("a,b\n1,\"2\n3,4\n", "t.csv:2: a quoted cell begins here and does not end"),
    ("a,b\n1,\"2\"x\n3,4\n", "t.csv:2: found \"x"),
    ("a,a\n1,2\n", "t.csv:1:2: the columns 1 and 2 are both named 'a'"),
    ("a,b\n1,\u{0}\n", "t.csv:2: found a zero byte"),
    ("PK\u{3}\u{4}abc", "t.csv: the file is a zip archive or a spreadsheet, not text"),
  ])
  func badTextIsRefused(text: String, message: String) {
    #expect {
      try read(text)
    } throws: { error in
      (error as? ApusError)?.kind == .data && "\(error)".hasPrefix(message)
    }
  }

  @Test func badTargetsAreRefused() {
    let text = "size,species\n1,cat\n2,\n3,dog\n"
    #expect {
      try read(text, TableOptions(target: "species"))
    } throws: { "\($0)".hasPrefix("t.csv:3:2: the target 'species' is empty") }
    #expect {
      try read(text, TableOptions(target: "spcies"))
    } throws: {
      "\($0)"
        == "t.csv: there is no column 'spcies' for the target; did you mean 'species'? columns: size, species"
    }
    #expect {
      try read(text, TableOptions(target: 2))
    } throws: { "\($0)".hasPrefix("t.csv: there is no column 2 for the target") }
  }

  @Test func predictionFilesAreReadByName() throws {
    let data = try read(
      "size,colour,label\n1,red,yes\n2,blue,no\n", TableOptions(target: "label"))
    let matched = try MatchedDataset(
      csvText: "label,extra,colour,size\nno,9,blue,3\nmaybe,9,green,4\n", schema: data.schema)
    #expect(matched.dataset.columns == data.columns)
    #expect(matched.dataset.features.row(0) == [3, 0])
    #expect(matched.dataset.features[1, 1].isNaN)
    #expect(matched.ignoredColumns == ["extra"])
    #expect(matched.unseenCategories == ["colour": 1])
    #expect(
      matched.dataset.target == .classes(indices: [0, 2], labels: ["no", "yes", "maybe"]))
    #expect {
      try MatchedDataset(csvText: "color,size\nred,1\n", name: "new.csv", schema: data.schema)
    } throws: {
      "\($0)".hasPrefix(
        "new.csv: the column 'colour', which the model needs, is missing; did you mean 'color'?")
    }
    let withoutTarget = try MatchedDataset(csvText: "colour,size\nred,1\n", schema: data.schema)
    #expect(withoutTarget.dataset.target == .none)
  }
}
