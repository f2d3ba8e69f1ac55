import Apus
import ArgumentParser

/// `apus study export`: a study's table as a file.
struct StudyExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a study's table as CSV, JSON or a NumPy array.",
    discussion: """
      The columns are those of scikit-learn's cv_results_. The file's name says
      how to write it; without a file, CSV goes to the standard output.

      EXAMPLES
        apus study export sweep.sqlite results.csv
        apus study export sweep.sqlite results.npy     (numpy.load, one field a column)
        apus study export sweep.sqlite | head
      """)

  @OptionGroup var study: StudyOptions

  @Argument(
    help: ArgumentHelp("Where to write: .csv, .json or .npy.", valueName: "table"), completion: .file())
  var table: String?

  func run() async throws {
    let study = try study.load()
    if let table {
      try study.export(to: table)
    } else {
      try study.export(as: .csv) { try StandardOutput.write(String(decoding: $0, as: UTF8.self)) }
    }
  }
}
