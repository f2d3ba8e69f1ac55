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

  /// A square for each value at a pair of coordinates, coloured by the value: what random search saw of a plane.
  ///
  /// - Parameters:
  ///   - x: horizontal coordinates, positive.
  ///   - y: vertical coordinates, positive; as many.
  ///   - values: what the colours tell; as many. Values that are not finite are left out.
  ///   - names: what to write beside the axes and the colours. Both axes are logarithmic.
  public static func heatMap(
    x: [Double], y: [Double], values: [Double], names: (x: String, y: String, value: String)
  ) -> Chart {
    let rows = zip(zip(x, y), values).filter { $0.1.isFinite }.map { point, value in
      ["x": ParameterValue.real(point.0), "y": .real(point.1), "value": .real(value)]
    }
    return Chart(
      rows: rows, mark: ["type": .string("square"), "size": .integer(320), "opacity": .integer(1)],
      encoding: [
        "x": axis("x", names.x, scale: "log"), "y": axis("y", names.y, scale: "log"),
        "color": .object([
          "field": .string("value"), "type": .string("quantitative"), "title": .string(names.value),
          "scale": .object(["scheme": .string("viridis"), "zero": .boolean(false)]),
        ]),
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
