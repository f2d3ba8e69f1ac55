import ApusML
import ApusParallel
import Foundation

/// The file formats of a study's table.
public enum StudyExportFormat: String, Sendable, CaseIterable {
  /// Text with a header line; NaN is an empty cell.
  case csv
  /// An array of objects; NaN is null.
  case json
  /// A structured array for `numpy.load`, a field a column.
  case npy

  /// The format that a file's name asks for.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that lists the formats.
  public init(forFileNamed path: String) throws {
    let ending = path.split(separator: "/").last?.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard let format = Self(rawValue: ending) else {
      throw ApusError(
        .invalidParameter, "the name '\(path)' does not say how to write the table",
        hint: "end it with .csv, .json or .npy")
    }
    self = format
  }
}

extension Study {
  /// Writes a row for each candidate of which a fold was tried, with the columns of scikit-learn's `cv_results_`; where
  /// candidates were tried on parts of the rows, a row for each part.
  ///
  /// - Parameters:
  ///   - format: how.
  ///   - write: takes the bytes, piece by piece.
  /// - Complexity: passes over the study, one candidate in memory at a time.
  public func export(as format: StudyExportFormat, _ write: (Data) throws -> Void) throws {
    try atOneMoment { try writeTable(as: format, write) }
  }

  private func writeTable(as format: StudyExportFormat, _ write: (Data) throws -> Void) throws {
    let columns = try columns()
    let ranking = try tableRanking(columns)
    switch format {
    case .csv:
      try write(Data(ResultTable.line(columns.names.map { .string($0) }).utf8))
      try forEachRow(columns, ranking) {
        try write(Data(ResultTable.line(columns.cells(of: $0)).utf8))
      }
    case .json:
      let encoder = JSONEncoder.jobs
      let names = columns.names
      var separator = "[\n"
      try forEachRow(columns, ranking) { candidate in
        let object = ResultTable.object(names, columns.cells(of: candidate))
        try write(Data(separator.utf8) + encoder.encode(object))
        separator = ",\n"
      }
      try write(Data((separator == "[\n" ? "[]\n" : "\n]\n").utf8))
    case .npy:
      var layout = StructuredArrayLayout(names: columns.names)
      try forEachRow(columns, ranking) { layout.widen(to: columns.cells(of: $0)) }
      try write(layout.header)
      try forEachRow(columns, ranking) { try write(layout.record(columns.cells(of: $0))) }
    }
  }

  /// Writes the table to a file; the name's ending says how.
  ///
  /// - Throws: ``ApusError``: `invalidParameter` for another ending, `file` when it cannot be written; an older
  ///   file is then as it was.
  public func export(to path: String) throws {
    let format = try StudyExportFormat(forFileNamed: path)
    let temporary = "\(path).\(getpid()).tmp"
    guard let file = fopen(temporary, "wbx") else { throw ApusError.systemFailure("cannot write", path) }
    var isOpen = true
    defer {
      if isOpen { fclose(file) }
      unlink(temporary)
    }
    try export(as: format) { data in
      let written = data.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
      guard written == data.count else { throw ApusError.systemFailure("cannot write", path) }
    }
    isOpen = false
    guard fclose(file) == 0, rename(temporary, path) == 0 else {
      throw ApusError.systemFailure("cannot write", path)
    }
  }

  /// The places of the rows of the table.
  private func tableRanking(_ columns: ResultColumns) throws -> StudyRanking {
    guard columns.hasStages else { return try ranking() }
    var ranking = StudyRanking(metricCount: description.metrics.count)
    try forEachStoredCandidate { _, candidate in
      for resource in stages(candidate) { ranking.add(means(candidate, resource), resource: resource) }
    }
    ranking.finish()
    return ranking
  }

  /// Calls a function with each row of the table; one candidate is in memory at a time.
  private func forEachRow(
    _ columns: ResultColumns, _ ranking: StudyRanking, _ body: (CandidateResult) throws -> Void
  ) throws {
    guard columns.hasStages else { return try forEachCandidate(ranking: ranking, body) }
    let names = try names()
    var row = 0
    try forEachStoredCandidate { index, candidate in
      for (iteration, resource) in stages(candidate).enumerated() {
        try body(
          try result(
            candidate, at: index, names: names, ranking,
            stage: (iteration: iteration, resource: resource, row: row)))
        row += 1
      }
    }
  }

  private func columns() throws -> ResultColumns {
    let names = try store.variedParameters(of: description.number).values.reduce(into: Set()) {
      $0.formUnion($1)
    }
    return ResultColumns(
      metrics: description.metrics, foldCount: description.foldCount, parameterNames: names.sorted(),
      hasTrainScores: description.includesTrainScores, hasStages: try progress().partialFits > 0,
      hasConvergence: try store.hasConvergence(of: description.number))
  }
}
