import Foundation

/// A cell of a heat map over two logarithmic axes, with what fell into it.
struct HeatMapCell {
  /// Which part of the horizontal axis: the edges are ``edge(_:_:)`` of it and of the next one.
  let column: Int
  /// Which part of the vertical axis.
  let row: Int
  /// How many values fell into the cell.
  let count: Int
  /// The mean of the values.
  let mean: Double

  /// The cells that something fell into, by column and row.
  ///
  /// - Parameter width: the width of a cell in decades.
  static func cells(x: [Double], y: [Double], values: [Double], width: Double) -> [HeatMapCell] {
    struct Place: Hashable {
      let column, row: Int
    }
    var found: [Place: [Double]] = [:]
    for ((x, y), value) in zip(zip(x, y), values) where value.isFinite {
      guard let column = index(x, width), let row = index(y, width) else { continue }
      found[Place(column: column, row: row), default: []].append(value)
    }
    return found.map { place, values in
      HeatMapCell(
        column: place.column, row: place.row, count: values.count,
        mean: values.reduce(0, +) / Double(values.count))
    }
    .sorted { ($0.column, $0.row) < ($1.column, $1.row) }
  }

  /// Where a part of an axis begins.
  static func edge(_ index: Int, _ width: Double) -> Double { pow(10, Double(index) * width) }

  /// The part of an axis that a coordinate is in; nil for one that a logarithmic axis does not have.
  private static func index(_ coordinate: Double, _ width: Double) -> Int? {
    let decades = log10(coordinate) / width
    return decades.isFinite ? Int(decades.rounded(.down)) : nil
  }
}
