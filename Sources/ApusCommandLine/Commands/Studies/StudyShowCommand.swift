import Apus
import ArgumentParser

/// `apus study show`: how far a study has come, and its best candidates.
struct StudyShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show how far a study has come, and its best candidates.",
    usage: "apus study show <file> [<options>]",
    discussion: """
      EXAMPLES
        apus study show sweep.sqlite --top 20
        apus study show sweep.sqlite --metric f1_macro --json
      """)

  @OptionGroup var study: StudyOptions

  @Option(help: ArgumentHelp("The metric to rank by.", valueName: "metric"), completion: .metrics)
  var metric: String?

  @Option(help: ArgumentHelp("How many candidates to print.", valueName: "number"))
  var top = 10

  @Flag(help: "Print the result as one JSON object.")
  var json = false

  /// What is printed as JSON.
  private struct Shown: Encodable {
    var study: StudySummary
    var best: [[String: ParameterValue]]
    var failures: [FitFailure]
  }

  func run() async throws {
    guard top >= 1 else {
      throw ApusError(.invalidParameter, "--top must be at least 1, but is \(top)")
    }
    let study = try study.load()
    let metric = metric ?? study.description.refitMetric
    let (best, failures, summary) = try study.atOneMoment {
      (
        try study.leaderboard(top, by: metric), try study.failures(limit: 1_000),
        try StudySummary(study)
      )
    }
    let results = SearchResults(
      metrics: study.description.metrics, foldCount: study.description.foldCount, refitMetric: metric,
      candidates: best, failures: failures, isComplete: summary.isFinished)
    if json {
      try StandardOutput.write(json: Shown(study: summary, best: results.table.objects, failures: failures))
      return
    }
    try StandardOutput.write(
      Self.heading(summary) + SearchReport.ranking(results, top: top, width: Terminal.standardOutput.width))
    FailureNotes.say(failures)
  }

  private static func heading(_ summary: StudySummary) -> String {
    let ending = summary.ending.map { "; the latest search ended: \($0)" } ?? ""
    let state = summary.isFinished ? "finished" : "fits: \(summary.fitsInWords)\(ending)"
    let nested = summary.nestedInWords.map { "\n\($0)" } ?? ""
    let whole = summary.partOf.map { ", \(summary.part ?? "a part") of study \($0)" } ?? ""
    return """
      Study \(summary.number)\(whole), begun \(summary.begun): \(summary.candidates) candidates, \(state)
      \(summary.rows) rows × \(summary.features) features, \(summary.splitter), seed \(summary.seed)\(nested)


      """
  }
}
