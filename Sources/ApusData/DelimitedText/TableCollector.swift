import ApusLinearAlgebra
import ApusParallel

/// Brings the labels of all chunks together, and makes the parsed columns into a data set.
struct TableCollector {
  private let source: TextSource
  private let plan: TablePlan
  private let output: TableOutput
  private let columns: [Feature]
  private let labels: [[String]]
  private let unseenCategories: [String: Int]

  /// Numbers the labels of every column in sorted order, and renumbers the cells.
  ///
  /// - Parameters:
  ///   - tables: the labels of each chunk, a table for each table of the plan.
  ///   - firstRows: the first row of each chunk, and the number of rows at the end.
  /// - Throws: ``ApusError`` of kind `data` for a label that is not UTF-8.
  init(
    source: TextSource, plan: TablePlan, output: TableOutput, tables: [[LabelTable]], firstRows: [Int],
    compute: ComputeContext
  ) throws {
    self.source = source
    self.plan = plan
    self.output = output
    let merged = try plan.knownLabels.indices.map { table in
      try LabelMerge(
        tables.map { $0[table] }, known: plan.knownLabels[table],
        keepsUnknown: plan.keepsUnknownLabels(table),
        source: source)
    }
    labels = merged.map(\.labels)
    var columns = plan.features
    for column in plan.columns where column.role == .category {
      columns[column.feature].categories = merged[column.table].labels
    }
    self.columns = columns
    let isNumber =
      plan.columns.contains { $0.role == .targetEither }
      && merged[plan.columns[plan.targetColumn!].table].labels.count > ChunkParser.labelLimit
    let unseen = try compute.map(tables.count) { chunk in
      plan.columns.map { column -> Int in
        let rows = firstRows[chunk]..<firstRows[chunk + 1]
        let codes: UnsafeMutableBufferPointer<Int32>
        switch column.role {
        case .category:
          return output.renumberFeature(column.feature, rows: rows, by: merged[column.table].codes[chunk])
        case .targetLabel, .targetEither: codes = output.targetCodes
        case .group: codes = output.groupCodes
        default: return 0
        }
        if column.role == .targetEither && isNumber { return 0 }
        for row in rows { codes[row] = merged[column.table].codes[chunk][Int(codes[row])] }
        return 0
      }
    }
    var unseenCategories: [String: Int] = [:]
    for (column, name) in plan.names.enumerated() {
      let count = unseen.reduce(0) { $0 + $1[column] }
      if count > 0 { unseenCategories[name] = count }
    }
    self.unseenCategories = unseenCategories
  }

  /// The data set, with the features that were parsed.
  ///
  /// - Throws: ``ApusError`` of kind `data` for groups that are too many to number.
  func dataset(features: Matrix<Double>) throws -> MatchedDataset {
    let targetName = plan.targetColumn.map { plan.names[$0] }
    let dataset = Dataset(
      uncheckedFeatures: features, columns: columns, target: target,
      weights: plan.column(with: .weight) == nil ? nil : Array(output.weights), groups: groups,
      targetName: targetName)
    return MatchedDataset(
      dataset: dataset, ignoredColumns: plan.ignoredColumns, unseenCategories: unseenCategories)
  }

  private var target: Target {
    guard let column = plan.targetColumn else { return .none }
    let table = plan.columns[column].table
    switch plan.columns[column].role {
    case .targetLabel: return .classes(indices: Array(output.targetCodes), labels: labels[table])
    case .targetEither
    where Target.looksLikeClasses(output.targetValues) && labels[table].count <= ChunkParser.labelLimit:
      return .classes(indices: Array(output.targetCodes), labels: labels[table])
    default: return .values(Array(output.targetValues))
    }
  }

  /// The groups: the numbers they were where all are whole numbers, their positions in sorted order otherwise.
  private var groups: [Int32]? {
    guard let column = plan.column(with: .group) else { return nil }
    let labels = labels[plan.columns[column].table]
    let numbers = labels.compactMap { Int32($0) }
    guard numbers.count == labels.count else { return Array(output.groupCodes) }
    return output.groupCodes.map { numbers[Int($0)] }
  }
}

extension TablePlan {
  /// Whether labels that were not known before reading are added to the known ones: those of the target are,
  /// so that a score counts them as misses; categories become missing values.
  fileprivate func keepsUnknownLabels(_ table: Int) -> Bool {
    !columns.contains { $0.role == .category && $0.table == table }
  }
}

extension TableOutput {
  /// Renumbers the categories of some rows; those without a number become missing. Returns how many did.
  fileprivate func renumberFeature(_ feature: Int, rows: Range<Int>, by codes: [Int32]) -> Int {
    var unseen = 0
    for row in rows {
      let cell = features + row * featureCount + feature
      guard !cell.pointee.isNaN else { continue }
      let code = codes[Int(cell.pointee)]
      cell.pointee = code < 0 ? .nan : Double(code)
      if code < 0 { unseen += 1 }
    }
    return unseen
  }
}
