import ApusParallel
import CKernels

/// Parses the records of a chunk straight into the rows of the result.
struct ChunkParser {
  private let source: TextSource
  private let plan: TablePlan
  private let scanner: FieldScanner
  private let missing: MissingValues
  private let output: TableOutput
  private let chunk: RecordChunk
  /// The labels of the plan's tables, numbered within this chunk.
  private(set) var tables: [LabelTable]

  /// A target is not taken for classes when it has more labels than this in one chunk.
  static let labelLimit = 64

  init(
    source: TextSource, plan: TablePlan, delimiter: UInt8, missing: MissingValues, output: TableOutput,
    chunk: RecordChunk
  ) {
    self.source = source
    self.plan = plan
    scanner = FieldScanner(delimiter: delimiter)
    self.missing = missing
    self.output = output
    self.chunk = chunk
    tables = plan.knownLabels.map { _ in LabelTable() }
  }

  /// Parses every record, the first into the row `firstRow`.
  ///
  /// - Throws: ``ApusError`` of kind `data` for the first cell or record that cannot be taken.
  mutating func parse(into firstRow: Int) throws {
    try plan.columns.withUnsafeBufferPointer { columns in
      try chunk.withPointers { start, end in
        var position = start
        var row = firstRow
        while scanner.skipEmptyLines(&position, before: end) {
          try parseRecord(&position, row: row, columns: columns)
          row += 1
        }
      }
    }
  }

  @inline(__always)
  private mutating func parseRecord(
    _ position: inout UnsafePointer<UInt8>, row: Int, columns: UnsafeBufferPointer<TablePlan.Column>
  ) throws {
    let start = position
    let features = output.features + row * output.featureCount
    var field = Field(start: position, count: 0)
    var column = 0
    while true {
      let role = columns[column].role
      var ending: FieldScanner.Ending
      if role == .number {
        let next =
          missing.hasNumbers ? nil : ckernels_read_decimal(position, features + columns[column].feature)
        if let next, next.pointee == scanner.delimiter {
          position = next + 1
          ending = .delimiter
        } else if let next, next.pointee == Byte.newline {
          position = next + 1
          ending = .record
        } else {
          ending = scanner.next(&position, &field)
          features[columns[column].feature] = try number(field, column: column)
        }
      } else {
        ending = scanner.next(&position, &field)
        try store(field, role: role, row: row, column: column, plan: columns[column])
      }
      column += 1
      if ending == .record { break }
      guard column < columns.count else { throw ragged(start) }
    }
    guard column == columns.count else { throw ragged(start) }
  }

  private mutating func store(
    _ field: Field, role: TablePlan.Role, row: Int, column: Int, plan: TablePlan.Column
  ) throws {
    switch role {
    case .dropped, .number: return
    case .category:
      let cell = output.features + row * output.featureCount + plan.feature
      cell.pointee = isMissing(field) ? .nan : Double(code(field, in: plan.table))
    case .targetNumber:
      output.targetValues[row] = try requiredNumber(field, column: column, what: "target")
    case .targetLabel:
      guard !isMissing(field) else { throw missingCell(field, column: column, what: "target") }
      output.targetCodes[row] = code(field, in: plan.table)
    case .targetEither:
      output.targetValues[row] = try requiredNumber(field, column: column, what: "target")
      if tables[plan.table].count <= Self.labelLimit {
        output.targetCodes[row] = code(field, in: plan.table)
      }
    case .weight:
      let weight = try requiredNumber(field, column: column, what: "weight")
      guard weight >= 0 else {
        throw error("a weight must be at least 0, found \(weight)", field, column: column)
      }
      output.weights[row] = weight
    case .group:
      guard !isMissing(field) else { throw missingCell(field, column: column, what: "group") }
      output.groupCodes[row] = code(field, in: plan.table)
    }
  }

  private func isMissing(_ field: Field) -> Bool { field.count == 0 || missing.contains(field.bytes) }

  private mutating func code(_ field: Field, in table: Int) -> Int32 {
    let offset = chunk.fileOffset(of: field.start)
    guard field.hasDoubledQuotes else { return tables[table].code(for: field.bytes, at: offset) }
    return field.unescapedBytes.withUnsafeBufferPointer { tables[table].code(for: $0, at: offset) }
  }

  /// A feature: NaN where it is missing.
  private func number(_ field: Field, column: Int) throws -> Double {
    switch NumberCell(field, missing: missing) {
    case .number(let value): return value
    case .missing: return .nan
    case .text: throw textCell(field, column: column)
    }
  }

  private func requiredNumber(_ field: Field, column: Int, what: String) throws -> Double {
    switch NumberCell(field, missing: missing) {
    case .number(let value):
      guard value.isFinite else {
        throw error("the \(what) must be a finite number, found \(field.excerpt)", field, column: column)
      }
      return value
    case .missing: throw missingCell(field, column: column, what: what)
    case .text: throw textCell(field, column: column)
    }
  }
}

// MARK: Errors

extension ChunkParser {
  private func error(_ message: String, _ field: Field, column: Int, hint: String? = nil) -> ApusError {
    source.error(message, at: chunk.fileOffset(of: field.start), column: column, hint: hint)
  }

  private func textCell(_ field: Field, column: Int) -> ApusError {
    let name = plan.names[column]
    let hint =
      switch plan.columns[column].role {
      case .targetNumber, .targetEither: "to predict classes, read the target as classes"
      case .weight: "weights are numbers of at least 0"
      default:
        "to read '\(name)' as categories, name it as a categorical column; "
          + "if \"\(field.excerpt)\" means that the value is missing, add it to the missing values"
      }
    return error(
      "expected a number in column '\(name)', found \"\(field.excerpt)\"", field, column: column,
      hint: field.bytes.contains(UInt8(ascii: ",")) ? "decimals are written with a point; " + hint : hint)
  }

  private func missingCell(_ field: Field, column: Int, what: String) -> ApusError {
    let cell = field.count == 0 ? "is empty" : "is missing (\"\(field.excerpt)\")"
    return error(
      "the \(what) '\(plan.names[column])' \(cell)", field, column: column,
      hint: "every row needs one: remove the rows without")
  }

  private func ragged(_ start: UnsafePointer<UInt8>) -> ApusError {
    var position = start
    let found = scanner.record(&position).count
    let expected = plan.columns.count
    return source.error(
      "expected \(expected) cells, found \(found)", at: chunk.fileOffset(of: start),
      hint: found == expected + 1
        ? "is there a column, such as row names, that the header does not name?" : nil)
  }
}
