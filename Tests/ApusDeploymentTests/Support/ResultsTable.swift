import Foundation

/// The table that `apus search --results` writes, without what differs from run to run: the times.
struct ResultsTable: Equatable {
  let rows: Set<[String]>

  init(_ text: String) {
    let lines = text.split(separator: "\n").map(Self.fields)
    let header = lines.first ?? []
    let kept = header.indices.filter { !header[$0].hasSuffix("_time") }
    rows = Set(lines.filter { $0.count == header.count }.map { line in kept.map { line[$0] } })
  }

  /// The fields of a line, with what stands in quotes in one piece.
  private static func fields(_ line: Substring) -> [String] {
    var fields = [""]
    var isQuoted = false
    for character in line {
      if character == "\"" { isQuoted.toggle() }
      if character == ",", !isQuoted { fields.append("") } else { fields[fields.count - 1].append(character) }
    }
    return fields
  }
}

/// The search that runs on threads here and on every cluster.
enum TestedSearch {
  /// A grid of `steps` by `steps` candidates, and five fits each.
  static func arguments(steps: Int) -> [String] {
    [
      "search", "digits", "--estimator", "standard-scaler+svc", "--param", "c=log(1e-1,1e2,\(steps))",
      "--param", "gamma=log(1e-4,1e-1,\(steps))", "--cv", "5", "--seed", "7",
    ]
  }
}
