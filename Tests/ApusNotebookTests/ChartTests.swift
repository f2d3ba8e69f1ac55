import ApusML
import ApusNotebook
import Testing

/// What charts are made of.
@Suite struct ChartTests {
  private static let map = Chart.heatMap(
    x: [0.02, 0.05, 3, 0.1, 7, -1, 0], y: [1e-3, 5e-3, 2e-5, 1e-3, 2e-5, 1, 1],
    values: [0.5, 0.7, 0.9, 0.2, .nan, 1, 1], names: ("C", "γ", "accuracy"))

  @Test func cellsOfAHeatMapAreDecadesWithTheMeanOfWhatFellIntoThem() throws {
    let cells = try rows(Self.map)
    let expected: [[String: Double]] = [
      ["x": 0.01, "x2": 0.1, "y": 1e-3, "y2": 1e-2, "value": 0.6, "count": 2],
      ["x": 0.1, "x2": 1, "y": 1e-3, "y2": 1e-2, "value": 0.2, "count": 1],
      ["x": 1, "x2": 10, "y": 1e-5, "y2": 1e-4, "value": 0.9, "count": 1],
    ]
    #expect(cells.count == expected.count, "what is not finite, and what has no logarithm, is left out")
    for (cell, wanted) in zip(cells, expected) {
      #expect(Set(cell.keys) == Set(wanted.keys))
      for (name, number) in wanted { #expect(abs(cell[name]! / number - 1) < 1e-12, "\(name) \(cell)") }
    }
  }

  @Test func theAxesOfAHeatMapAreMarkedWhereItsCellsEnd() throws {
    let encoding = try object(Self.map.specification["encoding"])
    for (axis, title, edges) in [("x", "C", [0.01, 0.1, 1, 10]), ("y", "γ", [1e-5, 1e-4, 1e-3, 1e-2])] {
      let channel = try object(encoding[axis])
      #expect(channel["title"] == .string(title))
      guard case .list(let marks) = try object(channel["axis"])["values"] else {
        Issue.record("\(axis) has no marks")
        continue
      }
      #expect(marks.count == edges.count)
      for (mark, edge) in zip(marks, edges) { #expect(abs(mark.number! / edge - 1) < 1e-12) }
      #expect(try object(encoding["\(axis)2"])["field"] == .string("\(axis)2"))
    }
  }

  @Test func decadesCanBeCut() throws {
    let map = Chart.heatMap(
      x: [1.5, 5, 20], y: [1, 1, 1], values: [1, 2, 3], names: ("x", "y", "value"), binsPerDecade: 2)
    let root = 10.0.squareRoot()
    let edges = try rows(map).map { $0["x"]! }
    #expect(edges.count == 3)
    for (edge, wanted) in zip(edges, [1, root, 10]) { #expect(abs(edge / wanted - 1) < 1e-12) }
    #expect(try rows(Chart.heatMap(x: [], y: [], values: [], names: ("x", "y", "value"))).isEmpty)
  }

  private func object(_ value: ParameterValue?) throws -> [String: ParameterValue] {
    guard case .object(let members) = value else { throw Missing() }
    return members
  }

  private func rows(_ chart: Chart) throws -> [[String: Double]] {
    guard case .list(let rows) = try object(chart.specification["data"])["values"] else { throw Missing() }
    return try rows.map { try object($0).compactMapValues(\.number) }
  }

  private struct Missing: Error {}
}
