import ApusParallel
import Foundation

/// A table of named columns, as results are written to files.
public struct ResultTable: Sendable, Hashable {
  /// The names of the columns, in order.
  public var columns: [String]
  /// A cell for each column.
  public var rows: [[ParameterValue]]

  /// The table as CSV with a header line; `null` and NaN are empty cells, lists and objects are JSON.
  public var csv: String {
    Self.line(columns.map { .string($0) }) + rows.map(Self.line).joined()
  }

  /// Cells as a line of CSV.
  package static func line(_ cells: [ParameterValue]) -> String {
    cells.map { quoted(text($0)) }.joined(separator: ",") + "\n"
  }

  /// The rows as objects by column name, for JSON; NaN is `null`.
  public var objects: [[String: ParameterValue]] {
    rows.map { Self.object(columns, $0) }
  }

  /// Cells as an object by column name.
  package static func object(_ columns: [String], _ cells: [ParameterValue]) -> [String: ParameterValue] {
    Dictionary(uniqueKeysWithValues: zip(columns, cells.map(finite)))
  }

  private static func finite(_ value: ParameterValue) -> ParameterValue {
    if case .real(let number) = value, !number.isFinite { .null } else { value }
  }

  /// A cell as CSV has it, without quotation marks.
  package static func text(_ value: ParameterValue) -> String {
    switch value {
    case .null: return ""
    case .real(let number): return number.isNaN ? "" : "\(number)"
    case .list, .object:
      let encoder = JSONEncoder.jobs
      return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? value.description
    default: return value.description
    }
  }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}

extension SearchResults {
  /// The table with scikit-learn's column names: `mean_fit_time`, `param_c`, `params`, `split0_test_score`,
  /// `mean_test_score`, `std_test_score`, `rank_test_score` and so on; with several metrics the metric's name
  /// stands in place of `score`.
  ///
  /// Columns of our own come beside them: `estimator`; `unconverged_folds`, the number of fits that did not reach
  /// their tolerance; and where fits iterate towards one, `max_n_iter` and `max_residual`, the most iterations of
  /// a fold and the largest number that a fold's fit ended with in place of its tolerance.
  public var table: ResultTable {
    let columns = ResultColumns(
      metrics: metrics, foldCount: foldCount,
      parameterNames: Set(candidates.flatMap(\.parameters.keys)).sorted(),
      hasTrainScores: candidates.first?.scores.first?.train != nil,
      hasStages: candidates.contains { $0.stage != nil },
      hasConvergence: candidates.contains { $0.mostIterations != nil })
    return ResultTable(columns: columns.names, rows: candidates.map(columns.cells))
  }
}
