import Apus
import ArgumentParser
import Foundation

/// `apus study list`: the studies of a file.
struct StudyListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the studies of one or more files.",
    discussion: """
      EXAMPLES
        apus study list sweep.sqlite
        apus study list *.sqlite
      """)

  @Argument(help: ArgumentHelp("The files.", valueName: "file"), completion: .file())
  var files: [String]

  @Flag(help: "Print the list as one JSON object.")
  var json = false

  /// A study with the file that it is in.
  private struct Entry: Encodable {
    var file: String
    var summary: StudySummary

    private enum CodingKeys: CodingKey { case file }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(file, forKey: .file)
      try summary.encode(to: encoder)
    }
  }

  func run() async throws {
    let entries = try files.flatMap { file in
      try StudyFile(reading: file).studies().map { Entry(file: file, summary: try StudySummary($0)) }
    }
    if json {
      try StandardOutput.write(json: ["studies": entries])
      return
    }
    let hasParts = entries.contains { $0.summary.partOf != nil }
    var columns: [(title: String, alignment: TextTable.Alignment)] = files.count > 1 ? [("File", .left)] : []
    // What matters least comes last: a narrow terminal cuts that off.
    columns += [("Study", .right), ("Begun", .left), ("Fits", .right), ("Failed", .right)]
    if hasParts { columns.append(("Part of", .left)) }
    columns += [("Data", .left), ("Metrics", .left), ("Seed", .right), ("Folds", .left)]
    var table = TextTable(columns)
    for entry in entries {
      let summary = entry.summary
      table.add(
        (files.count > 1 ? [entry.file] : []) + [
          "\(summary.number)", summary.begun, summary.fitsInWords, "\(summary.failures)",
        ] + (hasParts ? [summary.wholeInWords] : []) + [
          "\(summary.rows) × \(summary.features)", summary.metrics.joined(separator: ", "), "\(summary.seed)",
          summary.splitter,
        ])
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
  /// The number of the study that it is a part of, and which part.
  var partOf: Int?
  var part: String?
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
  /// Fits that learnt from a part of the training rows only.
  var partialFits: Int
  var failures: Int
  /// Why the latest search that decides as it goes has ended.
  var ending: String?
  /// What the latest nested cross-validation has found, by metric.
  var nested: [Nested]?

  /// A metric's scores on the outer test rows of a nested cross-validation.
  struct Nested: Encodable {
    var metric: String
    var mean: Double
    var standardDeviation: Double
    var scores: [Double]
  }

  /// Whether every candidate was tried on all rows of every fold.
  var isFinished: Bool { candidates > 0 && finishedCandidates == candidates }

  /// How many fits were made: of how many, unless the search itself decided what deserved them.
  var fitsInWords: String {
    partialFits == 0
      ? "\(fits) of \(candidates * folds)" : "\(fits), \(partialFits) of them on part of the rows"
  }

  /// What the study is a part of; nothing for one of its own.
  var wholeInWords: String {
    partOf.map { "\($0)\(part.map { ": \($0)" } ?? "")" } ?? ""
  }

  /// What the search is worth on new rows; nothing without a nested cross-validation.
  var nestedInWords: String? {
    nested.map { metrics in
      let scores = metrics.map {
        "\($0.metric) \(Quantities.score($0.mean, deviation: $0.standardDeviation))"
      }
      return "On rows that it has not seen (\(metrics.first?.scores.count ?? 0) outer splits): "
        + scores.joined(separator: ", ")
    }
  }

  init(_ study: Study) throws {
    let description = study.description
    let progress = try study.progress()
    number = description.number
    begun = Date(timeIntervalSince1970: description.created).formatted(.iso8601)
    version = description.version
    command = description.note
    partOf = description.whole?.study
    part = description.whole?.part
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
    partialFits = progress.partialFits
    failures = progress.failures
    ending = try study.ending()
    nested = try study.nestedResults().map { results in
      results.metrics.enumerated().map { position, metric in
        let (mean, deviation) = results.summary(of: position)
        return Nested(
          metric: metric, mean: mean, standardDeviation: deviation,
          scores: results.folds.map { $0.scores[position] })
      }
    }
  }
}
