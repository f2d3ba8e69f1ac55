/// A table for people to read: columns of equal width, numbers to the right, words to the left.
struct TextTable {
  /// How the cells of a column are set.
  enum Alignment { case left, right }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table without rows.
  init(_ columns: (title: String, alignment: Alignment)...) { self.init(columns) }

  /// A table without rows.
  init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row of as many cells as there are columns.
  mutating func add(_ cells: String...) { add(cells) }

  /// Adds a row of as many cells as there are columns.
  mutating func add(_ cells: [String]) {
    precondition(cells.count == titles.count)
    rows.append(cells)
  }

  /// The table, one line a row under its titles; columns without any text are left out, lines are cut at
  /// `width` where one is given.
  func text(width: Int? = nil) -> String {
    let shown = titles.indices.filter { column in rows.contains { !$0[column].isEmpty } }
    let widths = shown.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
    let lines = ([titles] + rows).map { cells in
      var line = ""
      for (position, column) in shown.enumerated() {
        let padding = String(repeating: " ", count: widths[position] - cells[column].count)
        line += position == 0 ? "" : "  "
        line += alignments[column] == .left ? cells[column] + padding : padding + cells[column]
      }
      while line.last == " " { line.removeLast() }
      guard let width, line.count > width else { return line }
      return line.prefix(max(1, width - 1)) + "…"
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
