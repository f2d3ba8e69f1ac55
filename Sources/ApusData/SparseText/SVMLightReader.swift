import ApusLinearAlgebra
import ApusParallel
import Foundation

/// Reads the text format of SVMlight and LIBSVM: a line a row, `target index:value index:value … # comment`.
///
/// Indices count from 1, or from 0 where the file has an index 0. A feature that a line leaves out is 0.
/// `qid:n` gives a row's group.
struct SVMLightReader {
  private let source: TextSource
  private let options: TableOptions
  private let chunks: [RecordChunk]

  /// Checks that the source is text.
  ///
  /// - Throws: ``ApusError`` of kind `data`.
  init(_ source: TextSource, options: TableOptions) throws {
    try source.requireText()
    self.source = source
    self.options = options
    chunks = RecordChunks.cutLines(source, from: source.byteOrderMarkLength)
  }

  /// Reads the data: one pass finds the shape, the second fills the table.
  ///
  /// - Parameter featureCount: the number of features; nil takes the largest index.
  /// - Throws: ``ApusError`` of kind `data` with the line and the token that is wrong.
  func read(featureCount: Int? = nil) throws -> Dataset {
    var shape = Shape()
    try forEachLine { line in try shape.add(line) }
    guard shape.rowCount > 0 else { throw source.error("the file has no rows") }
    let offset = shape.smallest == 0 ? 0 : 1
    let width = featureCount ?? max(0, shape.largest + 1 - offset)
    guard width > 0 else { throw source.error("no row has a feature") }
    guard shape.largest < width + offset else {
      throw source.error(
        "found feature \(shape.largest), but only \(width) are expected",
        hint: "the file has features that the model does not know")
    }
    try requireMemory(rows: shape.rowCount, columns: width)
    return try fill(shape: shape, width: width, offset: offset)
  }

  private func fill(shape: Shape, width: Int, offset: Int) throws -> Dataset {
    var labels: [String] = []
    var groups: [Int32] = []
    let features = try Matrix<Double>(rowCount: shape.rowCount, columnCount: width) { elements in
      elements.update(repeating: 0)
      var row = elements
      try forEachLine { line in
        labels.append(line.target.text ?? line.target.excerpt)
        if let group = line.group { groups.append(group) }
        while let (index, value, token) = try line.nextFeature() {
          let cell = index - offset
          guard row[cell] == 0 else {
            throw line.error("the feature \(index) comes twice", at: token)
          }
          row[cell] = value
        }
        row = UnsafeMutableBufferPointer(rebasing: row[width...])
      }
    }
    guard groups.isEmpty || groups.count == shape.rowCount else {
      throw source.error("\(groups.count) of \(shape.rowCount) rows have a qid", hint: "give every row one")
    }
    return try Dataset(
      features: features, target: target(labels), groups: groups.isEmpty ? nil : groups)
  }

  private func target(_ labels: [String]) throws -> Target {
    if options.targetKind == .classes { return .classes(labels) }
    let values = labels.compactMap(Double.init).filter(\.isFinite)
    guard values.count == labels.count else {
      if options.targetKind == .automatic { return .classes(labels) }
      throw source.error("the targets are not all numbers", hint: "read them as classes")
    }
    let isClasses = options.targetKind == .automatic && Target.looksLikeClasses(values)
    return isClasses ? .classes(labels) : .values(values)
  }

  private func requireMemory(rows: Int, columns: Int) throws {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    let available = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
    guard !overflow, count <= available / 8 else {
      throw source.error(
        "a dense table of \(rows) × \(columns) does not fit this machine's memory",
        hint: "choose fewer features before writing the file")
    }
  }

  private func forEachLine(_ body: (inout SVMLightLine) throws -> Void) throws {
    for chunk in chunks {
      try chunk.withPointers { start, end in
        var position = start
        while position < end {
          var line = SVMLightLine(source: source, chunk: chunk, from: position)
          position = line.end + 1
          if try line.readTarget() { try body(&line) }
        }
      }
    }
  }

  /// What the first pass finds out.
  private struct Shape {
    var rowCount = 0
    var smallest = Int.max
    var largest = -1

    mutating func add(_ line: SVMLightLine) throws {
      var line = line
      rowCount += 1
      while let (index, _, _) = try line.nextFeature() {
        smallest = min(smallest, index)
        largest = max(largest, index)
      }
    }
  }
}
