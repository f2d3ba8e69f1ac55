import Apus
import ArgumentParser
import Foundation

/// `apus study list`: the studies of a file.
struct StudyListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the studies of a file.",
    discussion: """
      EXAMPLES
        apus study list sweep.sqlite
      """)

  @Argument(help: ArgumentHelp("The file.", valueName: "file"), completion: .file())
  var file: String

  @Flag(help: "Print the list as one JSON object.")
  var json = false

  func run() async throws {
    let summaries = try StudyFile(file, creates: false).studies().map(StudySummary.init)
    if json {
      try StandardOutput.write(json: ["studies": summaries])
      return
    }
    var table = TextTable(
      ("Study", .right), ("Begun", .left), ("Data", .left), ("Seed", .right), ("Folds", .left),
      ("Metrics", .left), ("Fits", .right), ("Failed", .right))
    for summary in summaries {
      table.add(
        "\(summary.number)", summary.begun, "\(summary.rows) × \(summary.features)", "\(summary.seed)",
        summary.splitter, summary.metrics.joined(separator: ", "),
        "\(summary.fits) of \(summary.candidates * summary.folds)", "\(summary.failures)")
    }
    try StandardOutput.write(table.text(width: Terminal.standardOutput.width))
  }
}

/// A study in a few words and numbers.
struct StudySummary: Encodable {
  var number: Int
  var begun: String
  var version: String
  var command: String?
  var dataDigest: String
  var rows: Int
  var features: Int
  var target: String?
  var seed: UInt64
  var folds: Int
  var splitter: String
  var metrics: [String]
  var refitMetric: String
  var candidates: Int
  var finishedCandidates: Int
  var fits: Int
  var failures: Int

  init(_ study: Study) throws {
    let description = study.description
    let progress = try study.progress()
    number = description.number
    begun = Date(timeIntervalSince1970: description.created).formatted(.iso8601)
    version = description.version
    command = description.note
    dataDigest = description.dataDigest.hexadecimal
    rows = description.rowCount
    features = description.featureCount
    target = description.targetName
    seed = description.seed.value
    folds = description.foldCount
    splitter = description.splitter
    metrics = description.metrics
    refitMetric = description.refitMetric
    candidates = progress.candidates
    finishedCandidates = progress.finishedCandidates
    fits = progress.fits
    failures = progress.failures
  }
}
