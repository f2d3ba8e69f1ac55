import ApusData
import ApusLinearAlgebra
import ApusParallel
import Testing

/// Tables that are written by a few lines of our own are read back as they were.
@Suite struct RandomTableTests {
  private struct Table {
    var numbers: [[Double]] = []
    var words: [String] = []
    var text = ""
  }

  private static let words = ["red", "blue", "light, blue", "say \"hi\"", "two\nlines", "", "é", "12 apples"]

  private func table(
    rows: Int, delimiter: String, newline: String, words: [String] = Self.words, _ random: inout RandomSource
  ) -> Table {
    var table = Table()
    table.text = ["a", "word", "\"b c\"", "d"].joined(separator: delimiter) + newline
    for _ in 0..<rows {
      let numbers = (0..<3).map { _ in
        random.integer(below: 10) == 0 ? Double.nan : (random.normal() * 1000).rounded() / 64
      }
      let word = words[random.integer(below: words.count)]
      var cells = numbers.map { $0.isNaN ? ["", "NA", "?"][random.integer(below: 3)] : "\($0)" }
      let needsQuotes = word.contains { "\n,;\t\" ".contains($0) } || random.integer(below: 3) == 0
      cells.insert(
        needsQuotes
          ? "\"" + word.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\"" : word, at: 1)
      table.numbers.append(numbers)
      table.words.append(word)
      table.text += cells.joined(separator: delimiter) + newline
    }
    if random.integer(below: 2) == 0 { table.text.removeLast(1) }
    return table
  }

  @Test(arguments: [",", "\t", ";"], ["\n", "\r\n"])
  func tablesAreReadBack(delimiter: String, newline: String) throws {
    var random = Seed(4).derived(named: delimiter + newline).randomSource()
    for rows in [1, 2, 3, 10, 500, 12_000] {
      let table = table(rows: rows, delimiter: delimiter, newline: newline, &random)
      let options = TableOptions(categorical: ["word"], header: .present, delimiter: Character(delimiter))
      let data = try Dataset(csvText: table.text, options: options, compute: ComputeContext(threads: 2))
      let categories = Set(table.words).subtracting([""]).sorted()
      #expect(data.columns[1].categories == categories)
      #expect(data.featureNames == ["a", "word", "b c", "d"])
      #expect(data.rowCount == rows)
      var differing = 0
      for row in 0..<rows {
        let category = categories.firstIndex(of: table.words[row]).map(Double.init) ?? .nan
        var expected = table.numbers[row]
        expected.insert(category, at: 1)
        if !zip(data.features.row(row), expected).allSatisfy({ $0 == $1 || ($0.isNaN && $1.isNaN) }) {
          differing += 1
        }
      }
      #expect(differing == 0)
    }
  }

  @Test func everyThreadCountGivesTheSameBits() throws {
    var random = Seed(5).randomSource()
    let words = Self.words.filter { !$0.isEmpty }
    let table = table(rows: 20_000, delimiter: ",", newline: "\n", words: words, &random)
    let options = TableOptions(target: "word")
    let digests = try [1, 2, 4].map { threads in
      try Dataset(
        csvText: table.text, options: options, compute: ComputeContext(threads: threads)
      ).digest
    }
    #expect(Set(digests).count == 1)
  }

  @Test func everyTruncationIsReadOrRefused() throws {
    let text = Array("\u{FEFF}n,\"a \"\"q\"\"\",x\r\n1,\"é\nb\",-2.5e-3\r\n\r\n3,c, NA \r\n".utf8)
    for count in 0...text.count {
      try withTemporaryFile(text.prefix(count), extension: "csv") { path in
        do {
          let data = try Dataset(csv: path, options: TableOptions(target: 0, targetKind: .classes))
          #expect(data.rowCount > 0)
        } catch let error as ApusError {
          #expect(error.kind == .data)
          #expect(error.location?.file == path)
        }
      }
    }
  }

  @Test func randomBytesAreReadOrRefused() throws {
    var random = Seed(6).randomSource()
    let alphabet = Array("1,2\"\n\r;\t.-eNA x".utf8) + [0xC3, 0xA9]
    var readCount = 0
    for _ in 0..<3_000 {
      let bytes = (0..<random.integer(below: 40)).map { _ in alphabet[random.integer(below: alphabet.count)] }
      let text = String(decoding: bytes, as: UTF8.self)
      if (try? Dataset(csvText: text, options: TableOptions(target: -1))) != nil { readCount += 1 }
    }
    #expect(readCount > 50)
  }
}
