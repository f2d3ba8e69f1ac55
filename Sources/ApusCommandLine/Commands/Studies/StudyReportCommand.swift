import Apus
import ArgumentParser

/// `apus study report`: a study as one page to look at.
struct StudyReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a study as one HTML page with charts.",
    discussion: """
      The page carries everything that it needs and asks no network for anything: it
      can be mailed, or kept beside the study. Of a large study, the charts show
      the best candidates and a sample of the others.

      EXAMPLES
        apus study report sweep.sqlite --output sweep.html
      """)

  @OptionGroup var study: StudyOptions

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to write the page.", valueName: "file"),
    completion: .file(extensions: ["html"]))
  var output = "study.html"

  func run() async throws {
    try AtomicFile.checkWritable(output)
    let page = try study.load().report(path: study.file)
    try AtomicFile.write(page, to: output)
    Report.note("Wrote \(output) (\(Quantities.bytes(page.count))).")
  }
}
