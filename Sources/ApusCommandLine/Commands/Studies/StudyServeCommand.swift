import Apus
import ArgumentParser

/// `apus study serve`: the report of a study in a browser, while searches write to it.
struct StudyServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Show a study in a browser while it grows.",
    usage: "apus study serve <file> [<options>]",
    discussion: """
      Serves the page of 'apus study report', which then follows the study, and
      /metrics for Prometheus. Only this machine can connect; with --host, others
      can too, if they know the token that is printed.

      EXAMPLES
        apus study serve sweep.sqlite
        apus study serve sweep.sqlite --host 0.0.0.0 --port 8080
      """)

  @OptionGroup var study: StudyOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The port; 0 for any that is free.", valueName: "number"))
  var port: UInt16 = 8642

  @Option(help: ArgumentHelp("The IPv4 address to listen on.", valueName: "address"))
  var host = "127.0.0.1"

  func run() async throws {
    // What is opened to look into it alone may be taken for a file that nobody changes, or kept from those who would.
    // Where it cannot be written, no search of this machine writes to it either.
    let file: StudyFile
    do { file = try StudyFile(study.file, creates: false) } catch let error as ApusError
      where error.kind == .file
    {
      file = try StudyFile(reading: study.file)
    }
    let grown = try file.study(study.number)
    let server = try StudyServer(grown, path: study.file, host: host, port: port)
    Interruption.shared.listen(keepsFinishedParts: true)
    try await server.run(until: Interruption.shared.cancellation) { url in
      try? StandardOutput.write("Serving \(study.file) at \(url)\n")
      Report.note("Stop with Ctrl-C.")
    }
  }
}
