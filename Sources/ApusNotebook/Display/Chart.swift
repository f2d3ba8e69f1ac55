import ApusML

/// A chart in the notebook, drawn by Vega-Lite.
///
/// ```swift
/// Chart.histogram(scores, of: "mean accuracy")
/// ```
///
/// JupyterLab draws it with its own Vega-Lite; the kernel adds a picture (SVG) for pages and files that cannot.
public struct Chart: NotebookDisplayable, Sendable {
  /// The chart's Vega-Lite specification, version 5.
  public var specification: [String: ParameterValue]

  /// Creates a chart of any Vega-Lite specification.
  public init(specification: [String: ParameterValue]) { self.specification = specification }

  /// The specification, under Vega-Lite's MIME type.
  public var notebookData: [String: ParameterValue] {
    ["application/vnd.vegalite.v5+json": .object(specification), "text/plain": .string("a chart")]
  }

  /// How often values occur; values that are not finite are left out.
  public static func histogram(_ values: [Double], of name: String, bins: Int = 15) -> Chart {
    Chart(
      rows: values.filter(\.isFinite).map { ["x": .real($0)] }, mark: ["type": .string("bar")],
      encoding: [
        "x": .object([
          "field": .string("x"), "title": .string(name), "bin": .object(["maxbins": .integer(bins)]),
        ]),
        "y": .object(["aggregate": .string("count"), "title": .string("count")]),
      ])
  }

  /// A heat map over a plane of two logarithmic axes: each cell spans a decade, or a part of one, in both directions,
  /// and its colour is the mean of the values that fall into it. Where nothing fell, nothing is drawn.
  ///
  /// - Parameters:
  ///   - x: horizontal coordinates, such as the draws of a hyperparameter by a random search.
  ///   - y: vertical coordinates; as many.
  ///   - values: what the colours tell; as many. Values that are not finite, and those at coordinates that are not
  ///     positive, are left out.
  ///   - names: what to write beside the axes and the colours.
  ///   - binsPerDecade: how many cells a decade is cut into, in each direction.
  public static func heatMap(
    x: [Double], y: [Double], values: [Double], names: (x: String, y: String, value: String),
    binsPerDecade: Int = 1
  ) -> Chart {
    let width = 1 / Double(max(1, binsPerDecade))
    let cells = HeatMapCell.cells(x: x, y: y, values: values, width: width)
    let rows = cells.map { cell -> [String: ParameterValue] in
      [
        "x": .real(HeatMapCell.edge(cell.column, width)),
        "x2": .real(HeatMapCell.edge(cell.column + 1, width)),
        "y": .real(HeatMapCell.edge(cell.row, width)),
        "y2": .real(HeatMapCell.edge(cell.row + 1, width)),
        "value": .real(cell.mean), "count": .integer(cell.count),
      ]
    }
    func edges(_ indices: [Int]) -> ParameterValue {
      guard let first = indices.min(), let last = indices.max() else { return .list([]) }
      return .list((first...last + 1).map { .real(HeatMapCell.edge($0, width)) })
    }
    func binned(_ field: String, _ title: String, _ indices: [Int]) -> ParameterValue {
      .object([
        "field": .string(field), "type": .string("quantitative"), "title": .string(title),
        "scale": .object(["type": .string("log"), "nice": .boolean(false), "zero": .boolean(false)]),
        "axis": .object(["values": edges(indices), "format": .string("~e"), "grid": .boolean(false)]),
      ])
    }
    func told(_ field: String, _ title: String) -> ParameterValue {
      .object(["field": .string(field), "type": .string("quantitative"), "title": .string(title)])
    }
    return Chart(
      rows: rows, mark: ["type": .string("rect")],
      encoding: [
        "x": binned("x", names.x, cells.map(\.column)), "x2": .object(["field": .string("x2")]),
        "y": binned("y", names.y, cells.map(\.row)), "y2": .object(["field": .string("y2")]),
        "color": .object([
          "field": .string("value"), "type": .string("quantitative"), "title": .string(names.value),
          "scale": .object(["scheme": .string("viridis"), "zero": .boolean(false)]),
        ]),
        "tooltip": .list([told("value", names.value), told("count", "draws")]),
      ])
  }

  /// A point for each pair.
  public static func scatter(x: [Double], y: [Double], names: (x: String, y: String)) -> Chart {
    Chart(
      rows: zip(x, y).filter { $0.isFinite && $1.isFinite }.map { ["x": .real($0), "y": .real($1)] },
      mark: ["type": .string("point")],
      encoding: ["x": axis("x", names.x, scale: "linear"), "y": axis("y", names.y, scale: "linear")])
  }

  private init(
    rows: [[String: ParameterValue]], mark: [String: ParameterValue], encoding: [String: ParameterValue]
  ) {
    self.init(specification: [
      "$schema": .string("https://vega.github.io/schema/vega-lite/v5.json"), "width": .integer(360),
      "height": .integer(260), "padding": .integer(24),
      "data": .object(["values": .list(rows.map { .object($0) })]),
      "mark": .object(mark), "encoding": .object(encoding),
    ])
  }

  private static func axis(_ field: String, _ title: String, scale: String) -> ParameterValue {
    .object([
      "field": .string(field), "type": .string("quantitative"), "title": .string(title),
      "scale": .object(["type": .string(scale), "zero": .boolean(false)]),
    ])
  }
}
