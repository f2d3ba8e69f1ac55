import Apus
import ArgumentParser

/// `apus study diff`: where two studies differ.
struct StudyDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two studies, candidate by candidate.",
    usage: "apus study diff <file> [<other>] [<options>]",
    discussion: """
      Scores are compared to the bit. With one file, its last two studies are compared,
      leaving out those that nested searches have made.

      EXAMPLES
        apus study diff monday.sqlite friday.sqlite
        apus study diff sweep.sqlite --left 1 --right 3
      """)

  @Argument(help: ArgumentHelp("The file of the one study.", valueName: "file"), completion: .file())
  var file: String

  @Argument(
    help: ArgumentHelp("The file of the other; the same unless given.", valueName: "other"),
    completion: .file())
  var other: String?

  @Option(help: ArgumentHelp("The number of the one study in its file.", valueName: "number"))
  var left: Int?

  @Option(help: ArgumentHelp("The number of the other study in its file.", valueName: "number"))
  var right: Int?

  @Flag(help: "Print the result as one JSON object.")
  var json = false

  func run() async throws {
    let file = try StudyFile(reading: file)
    let otherFile = try other.map { try StudyFile(reading: $0) } ?? file
    let whole = try file.studies().map(\.description).filter { $0.whole == nil }.map(\.number)
    let previous = other == nil && whole.count > 1 ? whole[whole.count - 2] : nil
    let comparison = try StudyComparison(file.study(left ?? previous), otherFile.study(right))
    if json {
      try StandardOutput.write(json: Compared(comparison))
    } else {
      try StandardOutput.write(text(comparison))
    }
  }

  /// What is printed as JSON, which has neither NaN nor infinities.
  private struct Compared: Encodable {
    var settings: [String]
    var common: Int
    var onlyFirst: Int
    var onlySecond: Int
    var commonFits: Int
    var equalFits: Int
    var largest: [[String: ParameterValue]]

    init(_ comparison: StudyComparison) {
      settings = comparison.settings
      common = comparison.common
      onlyFirst = comparison.onlyLeft
      onlySecond = comparison.onlyRight
      commonFits = comparison.commonFits
      equalFits = comparison.equalFits
      largest = comparison.largest.map { difference in
        [
          "estimator": .string(difference.estimator), "parameters": .object(difference.parameters),
          "fold": .integer(difference.fold),
          "trainRows": difference.trainRows.map { .integer($0) } ?? .null,
          "metric": .string(difference.metric),
          "first": difference.left.isFinite ? .real(difference.left) : .null,
          "second": difference.right.isFinite ? .real(difference.right) : .null,
        ]
      }
    }
  }

  private func text(_ comparison: StudyComparison) -> String {
    var lines = comparison.settings.map { "Settings: \($0)" }
    lines.append(
      "Candidates: \(comparison.common) in both, \(comparison.onlyLeft) only in the first, "
        + "\(comparison.onlyRight) only in the second")
    lines.append(
      "Fits in both: \(comparison.commonFits), of which \(comparison.equalFits) have the same scores to the bit"
    )
    guard !comparison.largest.isEmpty else { return lines.joined(separator: "\n") + "\n" }
    // Halving tries candidates on parts of the rows.
    let hasParts = comparison.largest.contains { $0.trainRows != nil }
    var table = TextTable(
      [("Metric", .left), ("First", .right), ("Second", .right), ("Fold", .right)]
        + (hasParts ? [("Rows", .right)] : []) + [("Candidate", .left)])
    // What all of them share says nothing about a difference.
    let shared = comparison.largest.dropFirst().reduce(comparison.largest[0].parameters) { shared, other in
      shared.filter { other.parameters[$0.key] == $0.value }
    }
    for difference in comparison.largest {
      let parameters = difference.parameters.filter { comparison.largest.count == 1 || shared[$0.key] == nil }
        .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      table.add(
        [
          difference.metric, Quantities.score(difference.left), Quantities.score(difference.right),
          "\(difference.fold)",
        ] + (hasParts ? [difference.trainRows.map { "\($0)" } ?? "all"] : [])
          + [([difference.estimator] + parameters).joined(separator: " ")])
    }
    return lines.joined(separator: "\n") + "\n\nLargest differences\n"
      + table.text(width: Terminal.standardOutput.width)
  }
}
