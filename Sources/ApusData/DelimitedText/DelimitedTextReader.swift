import ApusLinearAlgebra
import ApusParallel
import Foundation

/// Reads a delimited text into a data set.
///
/// The text is cut into chunks of whole records; one pass counts the records of each, so that the second can
/// parse every chunk straight into its own rows of the result. Both passes run on as many threads as the context
/// allows, and nothing but the result and the labels of each chunk is kept.
struct DelimitedTextReader {
  let source: TextSource
  let options: TableOptions
  let compute: ComputeContext
  private let missing: MissingValues
  private let scanner: FieldScanner
  private var chunks: [RecordChunk]
  private let hasQuotedNewlines: Bool

  /// Checks that the source is text, and finds its delimiter and its records.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  init(_ source: TextSource, options: TableOptions, compute: ComputeContext) throws {
    try source.requireText()
    self.source = source
    self.options = options
    self.compute = compute
    missing = MissingValues(options.missingValues)
    scanner = FieldScanner(delimiter: try Dialect(source, options: options).delimiter)
    (chunks, hasQuotedNewlines) = try RecordChunks.cut(
      source, from: source.byteOrderMarkLength, delimiter: scanner.delimiter)
  }

  /// Reads a data set to learn from.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  mutating func read() throws -> Dataset {
    let (names, samples) = try readHeader(wantedNames: options.namedColumns)
    let plan = try TablePlan(names: names, samples: samples, options: options, location: location)
    return try parse(plan).dataset
  }

  /// Reads the columns that a model expects.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  mutating func read(matching schema: DatasetSchema) throws -> MatchedDataset {
    let (names, _) = try readHeader(wantedNames: schema.columns.map(\.name))
    let plan = try TablePlan(names: names, schema: schema, options: options, location: location)
    return try parse(plan)
  }

  private var location: ApusError.Location { ApusError.Location(file: source.path) }
}

// MARK: The header and the first rows

extension DelimitedTextReader {
  /// The names of the columns, and what the first rows hold; leaves the chunks with the data alone.
  private mutating func readHeader(
    wantedNames: [String]
  ) throws -> (names: [String], samples: [ColumnSample]) {
    guard let (first, firstOffset) = firstRecord() else { throw source.error("the file is empty") }
    let texts = try first.map { field in
      guard let text = field.text else {
        throw source.error(
          "\"\(field.excerpt)\" is not UTF-8 text", at: firstOffset,
          hint: "convert the file: iconv -f LATIN1 -t UTF-8")
      }
      return text
    }
    let isHeader = isHeader(first, texts: texts, wantedNames: wantedNames)
    if isHeader { dropFirstRecord() }
    let samples = sample(width: first.count)
    guard samples.rowCount > 0 else {
      throw source.error(
        "the file has a header but no rows", hint: "give a file with at least one row of data")
    }
    guard isHeader else { return (texts.indices.map { "x\($0)" }, samples.columns) }
    return (try columnNames(texts, at: firstOffset), samples.columns)
  }

  private func isHeader(_ first: [Field], texts: [String], wantedNames: [String]) -> Bool {
    switch options.header {
    case .present: return true
    case .absent: return false
    case .automatic:
      if wantedNames.contains(where: texts.contains) { return true }
      // Tables without names of their own are often written with the numbers of their columns.
      if texts.count >= 3, texts.elementsEqual(texts.indices.map(String.init)) { return true }
      let later = sample(width: first.count, skippingFirst: true).columns
      let numbers = first.map { field in
        if case .number = NumberCell(field, missing: missing) { true } else { false }
      }
      if later.contains(where: \.isNumeric) {
        return !zip(numbers, later).contains { $0 && $1.isNumeric }
      }
      return !numbers.contains(true)
    }
  }

  private func columnNames(_ texts: [String], at offset: Int) throws -> [String] {
    var seen: [String: Int] = [:]
    return try texts.enumerated().map { index, text in
      let name = text.isEmpty ? "column\(index + 1)" : text
      if let other = seen.updateValue(index, forKey: name) {
        throw source.error(
          "the columns \(other + 1) and \(index + 1) are both named '\(name)'", at: offset, column: index,
          hint: "give every column a name of its own")
      }
      return name
    }
  }

  private func firstRecord() -> (fields: [Field], offset: Int)? {
    for chunk in chunks {
      let record = chunk.withPointers { start, end -> ([Field], Int)? in
        var position = start
        guard scanner.skipEmptyLines(&position, before: end) else { return nil }
        let offset = chunk.fileOffset(of: position)
        return (scanner.record(&position), offset)
      }
      if let record { return record }
    }
    return nil
  }

  private mutating func dropFirstRecord() {
    for index in chunks.indices {
      let length = chunks[index].withPointers { start, end -> Int? in
        var position = start
        guard scanner.skipEmptyLines(&position, before: end) else { return nil }
        _ = scanner.record(&position)
        return position - start
      }
      let bytes = chunks[index].bytes
      chunks[index].bytes = bytes.lowerBound + (length ?? bytes.count)..<bytes.upperBound
      if length != nil { return }
    }
  }

  /// Looks at the first rows; records of another width are left to the parser, which refuses them.
  private func sample(width: Int, skippingFirst: Bool = false) -> (columns: [ColumnSample], rowCount: Int) {
    var columns = [ColumnSample](repeating: ColumnSample(), count: width)
    var rowCount = skippingFirst ? -1 : 0
    for chunk in chunks where rowCount < ColumnSample.rowCount {
      chunk.withPointers { start, end in
        var position = start
        var field = Field(start: start, count: 0)
        while rowCount < ColumnSample.rowCount, scanner.skipEmptyLines(&position, before: end) {
          var column = 0
          var ending = FieldScanner.Ending.delimiter
          while ending == .delimiter {
            ending = scanner.next(&position, &field)
            if column < width, rowCount >= 0 { columns[column].add(NumberCell(field, missing: missing)) }
            column += 1
          }
          rowCount += 1
        }
      }
    }
    return (columns, max(0, rowCount))
  }
}

// MARK: The records

extension DelimitedTextReader {
  private func parse(_ plan: TablePlan) throws -> MatchedDataset {
    let counts = try compute.map(chunks.count) { recordCount(chunks[$0]) }
    let firstRows = counts.reduce(into: [0]) { $0.append($0.last! + $1) }
    let rowCount = firstRows.last!
    var collector: TableCollector?
    let features = try Matrix<Double>(rowCount: rowCount, columnCount: plan.features.count) { elements in
      LargeMemory.preferLargePages(UnsafeMutableRawBufferPointer(elements))
      let output = TableOutput(plan: plan, rowCount: rowCount, features: elements.baseAddress!)
      let tables = try compute.map(chunks.count) { index in
        var parser = ChunkParser(
          source: source, plan: plan, delimiter: scanner.delimiter, missing: missing, output: output,
          chunk: chunks[index])
        try parser.parse(into: firstRows[index])
        return parser.tables
      }
      collector = try TableCollector(
        source: source, plan: plan, output: output, tables: tables, firstRows: firstRows, compute: compute)
    }
    return try collector!.dataset(features: features)
  }

  private func recordCount(_ chunk: RecordChunk) -> Int {
    chunk.withPointers { start, end in
      var count = 0
      var position = start
      var field = Field(start: start, count: 0)
      while scanner.skipEmptyLines(&position, before: end) {
        if hasQuotedNewlines {
          while scanner.next(&position, &field) == .delimiter {}
        } else {
          let newline = memchr(position, Int32(Byte.newline), end - position)!
          position = UnsafePointer(newline.assumingMemoryBound(to: UInt8.self)) + 1
        }
        count += 1
      }
      return count
    }
  }
}

extension TableOptions {
  /// The columns that are asked for by name, by which a header is known.
  fileprivate var namedColumns: [String] {
    ([target, weights, groups].compactMap { $0 } + dropped + categorical).compactMap { reference in
      if case .name(let name) = reference, Int(name) == nil { name } else { nil }
    }
  }
}
