/// What the cells of a column look like in the first rows.
struct ColumnSample: Sendable {
  /// The number of rows that are looked at.
  static let rowCount = 1000

  /// The cells that are numbers.
  var numbers = 0
  /// The cells that are neither numbers nor missing.
  var texts = 0

  /// Whether the column holds text: at least half of the cells that are not missing are not numbers.
  var isText: Bool { texts > 0 && texts >= numbers }

  /// Whether the column holds numbers.
  var isNumeric: Bool { numbers > texts }

  /// Counts a cell.
  mutating func add(_ cell: NumberCell) {
    switch cell {
    case .number: numbers += 1
    case .text: texts += 1
    case .missing: break
    }
  }
}
