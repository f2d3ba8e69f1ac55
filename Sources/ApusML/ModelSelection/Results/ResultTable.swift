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
    ([columns] + rows.map { $0.map(Self.text) })
      .map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
  }

  /// The rows as objects by column name, for JSON; NaN is `null`.
  public var objects: [[String: ParameterValue]] {
    rows.map { row in
      Dictionary(uniqueKeysWithValues: zip(columns, row.map(Self.finite)))
    }
  }

  private static func finite(_ value: ParameterValue) -> ParameterValue {
    if case .real(let number) = value, !number.isFinite { .null } else { value }
  }

  private static func text(_ value: ParameterValue) -> String {
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
  /// Columns of our own come beside them: `estimator`, and `unconverged_folds`, the number of fits that did
  /// not reach their tolerance.
  public var table: ResultTable {
    let names = Set(candidates.flatMap(\.parameters.keys)).sorted()
    var columns = ["estimator", "mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"]
    columns += names.map { "param_\($0)" } + ["params"]
    for metric in metrics {
      let suffix = metrics.count == 1 ? "score" : metric
      columns += Self.scoreColumns("test", suffix, foldCount) + ["rank_test_\(suffix)"]
      if hasTrainScores { columns += Self.scoreColumns("train", suffix, foldCount) }
    }
    columns.append("unconverged_folds")
    return ResultTable(columns: columns, rows: candidates.map { row($0, names) })
  }

  private var hasTrainScores: Bool { candidates.first?.scores.first?.train != nil }

  private static func scoreColumns(_ part: String, _ suffix: String, _ folds: Int) -> [String] {
    (0..<folds).map { "split\($0)_\(part)_\(suffix)" } + ["mean_\(part)_\(suffix)", "std_\(part)_\(suffix)"]
  }

  private func row(_ candidate: CandidateResult, _ names: [String]) -> [ParameterValue] {
    let fit = meanAndDeviation(candidate.fitSeconds.filter { !$0.isNaN })
    let score = meanAndDeviation(candidate.scoreSeconds.filter { !$0.isNaN })
    var cells: [ParameterValue] = [
      .string(candidate.estimator.name), .real(fit.mean), .real(fit.deviation), .real(score.mean),
      .real(score.deviation),
    ]
    cells += names.map { candidate.parameters[$0] ?? .null }
    cells.append(.object(candidate.parameters))
    for result in candidate.scores {
      cells += result.test.map { .real($0) }
      cells += [.real(result.mean), .real(result.standardDeviation), .integer(result.rank)]
      if let train = result.train {
        let (mean, deviation) = meanAndDeviation(train)
        cells += train.map { .real($0) } + [.real(mean), .real(deviation)]
      }
    }
    cells.append(.integer(candidate.unconvergedFolds.count))
    return cells
  }
}
