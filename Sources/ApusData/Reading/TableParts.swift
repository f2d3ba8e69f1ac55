import ApusLinearAlgebra
import ApusParallel

/// The columns of a table of numbers, handed out by what they are for: how formats without text become data
/// sets.
struct TableParts {
  private let path: String
  private let options: TableOptions
  private let table: Matrix<Double>
  private let names: [String]
  private var roles: [Int: String] = [:]

  init(_ table: Matrix<Double>, names: [String], options: TableOptions, path: String) {
    self.table = table
    self.names = names
    self.options = options
    self.path = path
  }

  private var location: ApusError.Location { ApusError.Location(file: path) }

  /// Takes a column out of the features.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a column that does not exist or is taken.
  mutating func take(_ reference: ColumnReference, for role: String) throws -> (
    name: String, values: [Double]
  ) {
    let column = try reference.position(among: names, role: role, at: location)
    if let other = roles.updateValue(role, forKey: column) {
      throw ApusError(
        .data, "the column '\(names[column])' cannot serve for the \(other) and the \(role) at once",
        at: location)
    }
    return (names[column], table.column(column))
  }

  /// What is left: the features. Nothing is copied when no column was taken.
  ///
  /// - Throws: ``ApusError`` of kind `data` when nothing is left.
  mutating func features() throws -> (features: Matrix<Double>, columns: [Feature]) {
    for reference in options.dropped { _ = try take(reference, for: "columns to drop") }
    let kept = names.indices.filter { roles[$0] == nil }
    guard !kept.isEmpty else { throw ApusError(.data, "no column is left for the features", at: location) }
    let columns = kept.map { Feature(name: names[$0]) }
    if kept.count == names.count { return (table, columns) }
    let features = Matrix<Double>(rowCount: table.rowCount, columnCount: kept.count) { elements in
      table.withUnsafeElements { all in
        for row in 0..<table.rowCount {
          for (position, column) in kept.enumerated() {
            elements[row * kept.count + position] = all[row * names.count + column]
          }
        }
      }
    }
    return (features, columns)
  }
}

extension Target {
  /// A target from numbers, as the caller wants it read.
  init(numbers: [Double], kind: TargetKind) {
    switch kind {
    case .values: self = .values(numbers)
    case .automatic where !Target.looksLikeClasses(numbers): self = .values(numbers)
    case .automatic, .classes:
      self = .classes(numbers.map { Int(exactly: $0).map(String.init) ?? "\($0)" })
    }
  }
}

extension [Int32] {
  /// Groups from numbers.
  ///
  /// - Throws: ``ApusError`` of kind `data` for numbers that are not whole or too large.
  init(groups numbers: [Double], path: String) throws {
    self = try numbers.enumerated().map { row, number in
      guard let group = Int32(exactly: number) else {
        throw ApusError(
          .data, "the group of row \(row + 1) is \(number); groups are whole numbers",
          at: ApusError.Location(file: path))
      }
      return group
    }
  }
}
