import ApusML
import Foundation

extension ResultTable: NotebookDisplayable {
  /// An HTML table of the first hundred rows, and CSV as text.
  public var notebookData: [String: ParameterValue] {
    let shown = rows.prefix(100)
    let head = columns.map { "<th>\(Self.escaped($0))</th>" }.joined()
    let body = shown.map { row in "<tr>" + row.map { "<td>\(Self.cell($0))</td>" }.joined() + "</tr>" }
    let rest = rows.count > shown.count ? "<p>\(rows.count - shown.count) more rows</p>" : ""
    return [
      "text/html": .string(
        "<table><thead><tr>\(head)</tr></thead><tbody>\(body.joined(separator: "\n"))</tbody></table>\(rest)"),
      "text/plain": .string(csv.split(separator: "\n").prefix(101).joined(separator: "\n")),
    ]
  }

  private static func cell(_ value: ParameterValue) -> String {
    if case .real(let number) = value { return String(format: "%.4g", number) }
    return escaped(value.description)
  }

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}

extension SearchResults: NotebookDisplayable {
  /// The candidates from best to worst: rank, score with its standard deviation, seconds a fit, parameters.
  public var leaderboard: ResultTable {
    let names = Set(candidates.flatMap(\.parameters.keys)).sorted()
    let rows = ranked.map { candidate -> [ParameterValue] in
      let score = candidate.score(of: refitMetric)
      let fit = candidate.fitSeconds.filter(\.isFinite)
      return [
        .integer(score?.rank ?? 0), .real(score?.mean ?? .nan), .real(score?.standardDeviation ?? .nan),
        .real(fit.reduce(0, +) / Double(max(1, fit.count))), .string(candidate.estimator.name),
      ] + names.map { candidate.parameters[$0] ?? .null }
    }
    var leaders = table
    leaders.columns = ["rank", refitMetric, "±", "fit s", "estimator"] + names
    leaders.rows = rows
    return leaders
  }

  /// The leaderboard, as HTML and as text.
  public var notebookData: [String: ParameterValue] { leaderboard.notebookData }
}

extension SearchOutcome: NotebookDisplayable {
  /// The leaderboard of the results.
  public var notebookData: [String: ParameterValue] { results.notebookData }
}
